import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { bytes, never, reason, text } from '#kit/store-suite/driver.ts';
import { type Owner, tempFolder } from '#kit/temp-root.ts';

import { backupStore } from './backup-store.ts';
import { databasePath } from './database.ts';
import { openSqliteStore } from './open-sqlite-store.ts';
import { restoreStore } from './restore-store.ts';
import { verifyStore } from './verify-store.ts';

test('a backup has what was there, and is restored beyond all revisions that were given', async (t) => {
  const { folder, backup, last } = await worldOf(t);
  const { replaced, ...report } = await restoreStore(folder, read(backup), never);
  assert.equal(report.entries, 1);
  assert.ok(report.revision > last);
  assert.equal(replaced, join(folder, 'replaced.db'));
  const found = verifyStore(folder);
  assert.deepEqual({ ...report, sizeBytes: found.sizeBytes }, found);
});

test('a restore in an empty folder makes the store', async (t) => {
  const { backup } = await worldOf(t);
  const folder = join(tempFolder(t), 'new');
  assert.equal((await restoreStore(folder, read(backup), never)).replaced, undefined);
  assert.equal(await valueIn(folder), 'first');
});

test('a store that cannot be read is replaced, far beyond its revisions', async (t) => {
  const { folder, backup } = await worldOf(t);
  writeFileSync(databasePath(folder), 'no database');
  const { revision } = await restoreStore(folder, read(backup), never);
  assert.ok(revision > 1_000_000_000n);
  assert.equal(await valueIn(folder), 'first');
});

test('bytes that are no whole store change nothing', async (t) => {
  const { folder, backup } = await worldOf(t);
  const cut = join(tempFolder(t), 'cut.db');
  copyFileSync(backup, cut);
  truncateSync(cut, 8192);
  for (const bad of [read(cut), once(bytes('nothing')), once(new Uint8Array()), broken()])
    await assert.rejects(restoreStore(folder, bad, never));
  assert.equal(await valueIn(folder), 'second');
  assert.deepEqual(readdirSync(folder).sort(), ['lock', 'store.db']);
});

test('a store that is open is not restored', async (t) => {
  const { folder, backup } = await worldOf(t);
  await using _ = await openSqliteStore(folder);
  await assert.rejects(restoreStore(folder, read(backup), never), reason('Conflict'));
});

test('a restore that was cut off between its steps is finished at the next start', async (t) => {
  for (const step of [0, 1, 2, 3]) {
    const { folder, backup } = await worldOf(t);
    const at = (name: string): string => join(folder, name);
    // A log of the old store, which must never meet the new database.
    writeFileSync(at('store.db-wal'), readFileSync(backup));
    copyFileSync(backup, at('restored.db'));
    if (step > 0) renameSync(at('store.db-wal'), at('replaced.db-wal'));
    if (step > 1) renameSync(at('store.db'), at('replaced.db'));
    if (step > 2) renameSync(at('restored.db'), at('store.db'));
    assert.equal(await valueIn(folder), 'first', `cut off at step ${String(step)}`);
    assert.ok(existsSync(at('replaced.db')));
  }
});

test('a report says what is wrong with values, order and counts', async (t) => {
  const { folder } = await worldOf(t);
  const { DatabaseSync } = await import('node:sqlite');
  const cases = [
    ['UPDATE entry SET value = zeroblob(6)', /the present value of "\/a" at revision 3 is not what was written/],
    ['UPDATE change SET before = zeroblob(5) WHERE before IS NOT NULL', /the former value of "\/a" at revision 2/],
    ['DELETE FROM change WHERE revision = 2', /the log has 1 changes, 2 were counted/],
    ['DELETE FROM entry', /the change of "\/a" at revision 3 does not lead to what came next/],
    ['UPDATE state SET revision = 2', /"\/a" has revision 3, the store ends at 2/],
    ['UPDATE state SET compacted = 3', /the log begins at revision 2, it was compacted to 3/],
  ] as const;
  const whole = readFileSync(databasePath(folder));
  for (const [change, problem] of cases) {
    writeFileSync(databasePath(folder), whole);
    const database = new DatabaseSync(databasePath(folder));
    database.exec(change);
    database.close();
    assert.match(verifyStore(folder).problems.join('\n'), problem);
  }
  rmSync(databasePath(folder));
  assert.throws(() => verifyStore(folder), reason('NotFound'));
  assert.throws(() => backupStore(folder, join(folder, 'x')), reason('NotFound'));
});

interface World {
  readonly folder: string;
  /** Of the store when its only value was `first`; now it is `second`. */
  readonly backup: string;
  readonly last: bigint;
}

async function worldOf(owner: Owner): Promise<World> {
  const folder = tempFolder(owner);
  const backup = join(tempFolder(owner), 'backup.db');
  await using store = await openSqliteStore(folder);
  const first = await store.put('/a', bytes('first'), 0n, {}, never);
  assert.equal(backupStore(folder, backup).entries, 1);
  const last = await store.put('/a', bytes('second'), first, {}, never);
  return { folder, backup, last };
}

async function valueIn(folder: string): Promise<string | undefined> {
  await using store = await openSqliteStore(folder);
  return text((await store.get('/a', never))?.value);
}

function read(path: string): AsyncIterable<Uint8Array> {
  return once(readFileSync(path));
}

async function* once(piece: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(piece);
}

async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes('SQLite format 3'));
  throw new Error('the source broke');
}
