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
  await cache.add({ key: 'a', chainId: digest(1), createdAtMs: 5, description: 'A', isAlias: false });
  await cache.add({ key: 'b', chainId: undefined, createdAtMs: 6, description: 'B', isAlias: false });
  await cache.add({ key: 'a', chainId: digest(2), createdAtMs: 7, description: 'A', isAlias: false });
  await cache.add({ key: 'c', chainId: digest(3), createdAtMs: 8, description: 'C', isAlias: false });
  await cache.forget(['c', 'never']);
  const again = await StepCache.open(path);
  const plain = again.records().map((record) => [record.key, record.chainId, record.createdAtMs, record.description]);
  assert.deepEqual(plain, [
    ['b', undefined, 6, 'B'],
    ['a', digest(2), 7, 'A'],
  ]);
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
  await cache.add({ key: 'c', chainId: digest(2), createdAtMs: 6, description: '', isAlias: false });
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
  const removed = await again.add({ key: 'new', chainId: digest(1), createdAtMs: 1, description: '', isAlias: false });
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
  await cache.add({ key: 'a', chainId: digest(1), createdAtMs: 5, description: '', isAlias: false });
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 2);
});

test('uses are counted once per build, and their time is kept', async (t) => {
  const path = journal(t);
  const cache = await StepCache.open(path);
  await cache.add({ key: 'a', chainId: digest(1), createdAtMs: 5, description: 'x'.repeat(5000), isAlias: false });
  for (let build = 0; build < 3; build += 1) {
    cache.find('a');
    cache.find('a');
    await cache.flush();
  }
  const [before] = cache.records();
  assert.equal(before?.uses, 4);
  assert.equal(before.description.length, 1000);
  assert.ok(before.usedAtMs > 5);
  const [after] = (await StepCache.open(path)).records();
  assert.equal(after?.uses, 4);
  assert.ok(after.usedAtMs >= before.usedAtMs);
});

test('the makers of a layer are its records but for second keys', async (t) => {
  const path = journal(t);
  const cache = await StepCache.open(path);
  const made = { chainId: digest(1), createdAtMs: 5, description: '' };
  await cache.add({ ...made, key: 'a', isAlias: false });
  await cache.add({ ...made, key: 'b', isAlias: true });
  await cache.add({ ...made, key: 'c', chainId: digest(2), isAlias: false });
  for (const opened of [cache, await StepCache.open(path)])
    assert.deepEqual(
      opened.makersOf(digest(1)).map(({ key }) => key),
      ['a'],
    );
});
