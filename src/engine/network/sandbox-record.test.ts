import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { createLogger, silentLogger } from '#base/logger.ts';

import type { SandboxRequest } from './networks.ts';
import { type SandboxRecord, SandboxRecords } from './sandbox-record.ts';

test('records are there again after a restart, replaced ones as they were last', (t) => {
  const folder = temporaryFolder(t);
  const records = new SandboxRecords(folder);
  records.save(record('a', '10.0.0.2'));
  records.save(record('a', '10.0.0.3'));
  records.save(record('b', '10.0.0.4'));
  records.save(record('c', '10.0.0.5'));
  records.remove('c');
  records.remove('c');
  const loaded = new SandboxRecords(folder).load(silentLogger).toSorted((one, other) => order(one) - order(other));
  assert.deepEqual(loaded, [record('a', '10.0.0.3'), record('b', '10.0.0.4')]);
});

test('what cannot be read is reported and removed', (t) => {
  const folder = temporaryFolder(t);
  new SandboxRecords(folder).save(record('good', '10.0.0.2'));
  const damaged = { 'torn.json': '{"request": {', 'null.json': 'null', 'other.json': '{"a":1}', 'x.json.new': '{}' };
  for (const [name, text] of Object.entries(damaged)) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'folder'));
  const lines: string[] = [];
  const logger = createLogger({ level: 'warn', format: 'json', write: (line) => lines.push(line) });
  assert.deepEqual(
    new SandboxRecords(folder).load(logger).map(({ sandbox }) => sandbox.containerId),
    ['good'],
  );
  assert.equal(lines.length, 5);
  assert.deepEqual(readdirSync(folder), ['good.json']);
});

function record(containerId: string, ipv4Address: string): SandboxRecord {
  const files = { hosts: ipv4Address, resolvConf: '', hostname: '' };
  const request = { containerId, mode: 'networks' } as SandboxRequest;
  return { request, sandbox: { containerId, netnsPath: '/x', endpoints: [], ports: [], files } };
}

function order({ sandbox }: SandboxRecord): number {
  return sandbox.containerId.charCodeAt(0);
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-records-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
