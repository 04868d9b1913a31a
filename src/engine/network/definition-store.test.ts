import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { createLogger, silentLogger } from '#base/logger.ts';

import { DefinitionStore } from './definition-store.ts';
import type { NetworkDefinition } from './network-definition.ts';

test('definitions are there again after a restart, in the order they were made', async (t) => {
  const folder = temporaryFolder(t);
  const store = new DefinitionStore(join(folder, 'new'));
  assert.deepEqual(await store.load(silentLogger), []);
  const [first, second, third] = [definition('c', 1), definition('a', 2), definition('b', 2)];
  for (const one of [third, second, first]) await store.save(one);
  assert.deepEqual(await store.load(silentLogger), [first, second, third]);
  await store.remove(second.id);
  await store.remove(second.id);
  assert.deepEqual(await new DefinitionStore(join(folder, 'new')).load(silentLogger), [first, third]);
});

test('a damaged file is reported and set aside, and does not keep the others', async (t) => {
  const folder = temporaryFolder(t);
  const store = new DefinitionStore(folder);
  await store.load(silentLogger);
  await store.save(definition('a', 1));
  for (const text of ['', '{"id"', '[]', '{"id":"x"}']) {
    writeFileSync(join(folder, `${String(text.length)}.json`), text);
  }
  const lines: string[] = [];
  const logger = createLogger({ level: 'error', format: 'json', write: (line) => lines.push(line) });
  assert.deepEqual(await store.load(logger), [definition('a', 1)]);
  assert.equal(lines.length, 4);
  assert.deepEqual(readdirSync(join(folder, 'damaged')).toSorted(), ['0.json', '10.json', '2.json', '5.json']);
  assert.deepEqual(await store.load(logger), [definition('a', 1)]);
  assert.equal(lines.length, 4, 'said once');
});

function definition(digit: string, createdAtMs: number): NetworkDefinition {
  return {
    id: digit.repeat(64),
    name: digit,
    driver: 'bridge',
    createdAtMs,
    subnets: [{ subnet: '10.0.0.0/24', gateway: '10.0.0.1' }],
    internal: false,
    enableIPv6: false,
    labels: {},
    options: {},
    bridgeName: `sb-${digit}`,
  };
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-definitions-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
