import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
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

async function inFolder(work: (folder: string, unwritten: string) => Promise<void>): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), 'records-'));
  const folder = join(parent, 'records');
  mkdirSync(folder);
  try {
    await work(folder, join(parent, 'unwritten'));
  } finally {
    rmSync(parent, { recursive: true });
  }
}

test('what was saved or noted is loaded, what was removed is not', async () => {
  await inFolder(async (folder, unwritten) => {
    const store = new RecordStore(folder, unwritten, silentLogger);
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
    assert.deepEqual(readdirSync(folder), ['.reserve']);
  });
});

test('a damaged record is kept aside, drafts are removed', async () => {
  await inFolder(async (folder, unwritten) => {
    const store = new RecordStore(folder, unwritten, silentLogger);
    await store.save(record);
    writeFileSync(join(folder, `${'cd'.repeat(32)}.json`), JSON.stringify(record));
    writeFileSync(join(folder, `${'ef'.repeat(32)}.json`), '{"version":');
    writeFileSync(join(folder, '.draft.tmp'), 'half');
    assert.equal((await store.load()).length, 1);
    assert.deepEqual(readdirSync(folder).sort(), [
      '.reserve',
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

test('a fact that waits on another disk counts, unless the record is newer', async () => {
  await inFolder(async (folder, unwritten) => {
    const store = new RecordStore(folder, unwritten, silentLogger);
    await store.load();
    await store.save(record);
    const waiting = join(unwritten, `${id}.json`);
    const wait = (change: Partial<ContainerRecord>, atS: number): void => {
      mkdirSync(unwritten, { recursive: true });
      writeFileSync(waiting, JSON.stringify({ ...record, ...change }));
      utimesSync(waiting, atS, atS);
    };
    const later = statSync(join(folder, `${id}.json`)).mtimeMs / 1000 + 5;
    wait({ manuallyStopped: true }, later);
    assert.deepEqual((await store.load())[0]?.manuallyStopped, true);
    assert.deepEqual(readdirSync(unwritten), [], 'it was written');
    wait({ manuallyStopped: false }, later - 3_600);
    assert.deepEqual((await store.load())[0]?.manuallyStopped, true);
    wait({ id: 'cd'.repeat(32) }, later + 3_600);
    assert.deepEqual((await store.load())[0]?.id, id);
    assert.deepEqual(readdirSync(unwritten), []);
  });
});
