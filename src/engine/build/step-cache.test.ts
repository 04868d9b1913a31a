import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { Digest } from '#formats/oci.ts';
import { maxRecords, StepCache } from './step-cache.ts';

const digest = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;

function journal(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-cache-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'steps.jsonl');
}

test('records come back after a restart', async (t) => {
  const path = journal(t);
  const cache = await StepCache.open(path);
  await cache.add({ key: 'a', chainId: digest(1), createdAtMs: 5 });
  await cache.add({ key: 'b', chainId: undefined, createdAtMs: 6 });
  await cache.add({ key: 'a', chainId: digest(2), createdAtMs: 7 });
  await cache.add({ key: 'c', chainId: digest(3), createdAtMs: 8 });
  await cache.forget('c');
  const again = await StepCache.open(path);
  assert.deepEqual(again.find('a'), { key: 'a', chainId: digest(2), createdAtMs: 7 });
  assert.deepEqual(again.find('b'), { key: 'b', chainId: undefined, createdAtMs: 6 });
  assert.equal(again.find('c'), undefined);
  assert.equal(again.records().length, 2);
});

test('whatever the journal holds, it opens', async (t) => {
  const path = journal(t);
  const good = JSON.stringify({ key: 'a', chainId: digest(1), createdAtMs: 5 });
  const bad = [
    '',
    '{',
    '[]',
    'null',
    '{"key":1}',
    '{"key":"b","chainId":"sha256:x","createdAtMs":1}',
    '{"used":[1,"zz"]}',
  ];
  writeFileSync(path, [...bad, good, '{"key":"half'].join('\n'));
  const cache = await StepCache.open(path);
  assert.deepEqual(
    cache.records().map(({ key }) => key),
    ['a'],
  );
  await cache.add({ key: 'c', chainId: digest(2), createdAtMs: 6 });
  assert.deepEqual(
    (await StepCache.open(path)).records().map(({ key }) => key),
    ['a', 'c'],
  );
});

test('the least recently used one makes room, also after a restart', async (t) => {
  const path = journal(t);
  const lines = Array.from({ length: maxRecords }, (_, index) =>
    JSON.stringify({ key: `k${String(index)}`, chainId: digest(index), createdAtMs: index }),
  );
  writeFileSync(path, `${lines.join('\n')}\n`);
  const cache = await StepCache.open(path);
  cache.find('k0');
  await cache.flush();
  const again = await StepCache.open(path);
  const removed = await again.add({ key: 'new', chainId: digest(1), createdAtMs: 1 });
  assert.deepEqual(
    removed.map(({ key }) => key),
    ['k1'],
  );
  assert.equal((await StepCache.open(path)).records().length, maxRecords);
});

test('the journal is written anew before it grows without end', async (t) => {
  const path = journal(t);
  writeFileSync(path, '{"used":[]}\n'.repeat(4 * maxRecords));
  const cache = await StepCache.open(path);
  await cache.add({ key: 'a', chainId: digest(1), createdAtMs: 5 });
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 2);
  assert.equal((await cache.clear()).length, 1);
  assert.equal(readFileSync(path, 'utf8'), '');
});
