import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { silentLogger } from '#base/logger.ts';

import { type ContainerRecord, initialState, isContainerRecord } from './record.ts';
import { RecordStore } from './record-store.ts';

const id = 'ab'.repeat(32);
const record = {
  version: 1,
  id,
  name: 'web',
  createdAt: '2026-11-22T10:00:00Z',
  spec: { args: ['sh'], network: {}, log: {} },
  mounts: [],
  state: initialState,
  hasRun: false,
  manuallyStopped: false,
  lastDelayMs: 0,
} as unknown as ContainerRecord;

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('what was saved or noted is loaded, what was removed is not', async () => {
  await inFolder(async (folder) => {
    const store = new RecordStore(folder, silentLogger);
    assert.deepEqual(await store.load(), []);
    await store.save(record);
    store.note({ ...record, name: 'noted' });
    assert.deepEqual(
      (await store.load()).map(({ name }) => name),
      ['noted'],
    );
    await store.remove(id);
    await store.remove(id);
    store.note(record);
    store.forget(id);
    store.forget(id);
    assert.deepEqual(await store.load(), []);
    assert.deepEqual(readdirSync(folder), []);
  });
});

test('a damaged record is kept aside, drafts are removed', async () => {
  await inFolder(async (folder) => {
    const store = new RecordStore(folder, silentLogger);
    await store.save(record);
    writeFileSync(join(folder, `${'cd'.repeat(32)}.json`), JSON.stringify(record));
    writeFileSync(join(folder, `${'ef'.repeat(32)}.json`), '{"version":');
    writeFileSync(join(folder, '.draft.tmp'), 'half');
    assert.equal((await store.load()).length, 1);
    assert.deepEqual(readdirSync(folder).sort(), [
      `${id}.json`,
      `${'cd'.repeat(32)}.json.damaged`,
      `${'ef'.repeat(32)}.json.damaged`,
    ]);
    assert.equal(readFileSync(join(folder, `${'ef'.repeat(32)}.json.damaged`), 'utf8'), '{"version":');
  });
});

test('nonsense is no record', () => {
  assert.ok(isContainerRecord(record));
  for (const change of [{ version: 2 }, { id: '../x' }, { name: 3 }, { spec: {} }, { state: { status: 'flying' } }])
    assert.ok(!isContainerRecord({ ...record, ...change }), JSON.stringify(change));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => !isContainerRecord(value)),
    { numRuns: 200 },
  );
});
