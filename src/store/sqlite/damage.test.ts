import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { bytes, never, reason } from '#kit/store-suite/driver.ts';
import { type Owner, tempFolder } from '#kit/temp-root.ts';

import { databasePath } from './database.ts';
import { openSqliteStore } from './open-sqlite-store.ts';

test('a file that is no database, or another one, is refused with the way out', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(databasePath(folder), 'this is not a database, and long enough to tell'.repeat(100));
  await assert.rejects(openSqliteStore(folder), reason('Damaged'));
  await assert.rejects(openSqliteStore(folder), /slipway store restore/);
  const other = tempFolder(t);
  const database = new DatabaseSync(databasePath(other));
  database.exec('CREATE TABLE t (a)');
  database.close();
  await assert.rejects(openSqliteStore(other), reason('Damaged'));
});

test('a store of a newer Slipway is refused', async (t) => {
  const folder = await filled(t);
  const database = new DatabaseSync(databasePath(folder));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await assert.rejects(openSqliteStore(folder), reason('NotSupported'));
});

test('a value that is not what was written is not served', async (t) => {
  const folder = await filled(t);
  const path = databasePath(folder);
  const content = readFileSync(path, 'latin1');
  // Pages may hold remains of rows that have moved: all of them.
  writeFileSync(path, content.replaceAll('value of 7 ', 'value of 6 '), 'latin1');
  await using store = await openSqliteStore(folder);
  await assert.rejects(store.get('/a/7', never), reason('Damaged'));
  await assert.rejects(store.list('/a/', {}, never), reason('Damaged'));
  assert.notEqual(await store.get('/a/8', never), undefined);
});

test('a file that was cut off is refused, when it is opened or read', async (t) => {
  const folder = await filled(t);
  truncateSync(databasePath(folder), 8192);
  await assert.rejects(async () => {
    await using store = await openSqliteStore(folder);
    await store.list('', {}, never);
  }, reason('Damaged'));
});

test('a store that is open is not opened again', async (t) => {
  const folder = tempFolder(t);
  await using _ = await openSqliteStore(folder);
  await assert.rejects(openSqliteStore(folder), reason('Conflict'));
});

/** The folder of a closed store with 50 keys. */
async function filled(owner: Owner): Promise<string> {
  const folder = tempFolder(owner);
  await using store = await openSqliteStore(folder);
  const writes = Array.from({ length: 50 }, async (_, index) => {
    const value = bytes(`value of ${String(index)} `.repeat(40));
    return await store.put(`/a/${String(index)}`, value, 0n, {}, never);
  });
  await Promise.all(writes);
  return folder;
}
