import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { StatusError } from '#base/errors.ts';

import { damaged, ofSqlite } from './sqlite-error.ts';

/** `slip`: what makes a SQLite file one of ours. */
const applicationId = 0x736c6970;
const formatVersion = 1;
/** Pages in the write-ahead log after which they go to the database, which every writer waits for: ten milliseconds or so. */
const checkpointPages = 500;
/** The write-ahead log is cut to this size when it begins anew. */
const logBytesMost = 32 * 1024 * 1024;
/** Of the file, read as memory: to read all of it by system calls takes half as long again. */
const mappedBytesMost = 128 * 1024 * 1024;
/** For whoever looks from another process, such as a backup. */
const busyTimeoutMs = 10_000;

/**
 * `entry`: the present values. `change`: what was before each of the latest writes, so that the value that a write made is
 * `before` of the next change of its key, or the present one. `state`: one row.
 */
const schema = `
CREATE TABLE entry (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL, revision INTEGER NOT NULL, sum INTEGER NOT NULL,
  expires INTEGER
);
CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
CREATE TABLE change (
  revision INTEGER PRIMARY KEY, key TEXT NOT NULL, removed INTEGER NOT NULL, before BLOB, before_revision INTEGER, sum INTEGER
);
CREATE INDEX change_key ON change (key, revision);
CREATE TABLE state (
  revision INTEGER NOT NULL, ceiling INTEGER NOT NULL, compacted INTEGER NOT NULL, unlogged INTEGER NOT NULL,
  log_count INTEGER NOT NULL, log_bytes INTEGER NOT NULL, is_closed INTEGER NOT NULL
);
INSERT INTO state VALUES (1, 1, 0, 0, 0, 0, 1);
PRAGMA application_id = ${String(applicationId)};
PRAGMA user_version = ${String(formatVersion)};
`;

/** The file of a store in its folder. */
export function databasePath(folder: string): string {
  return join(folder, 'store.db');
}

/** Opens the database of a store to write, and makes it when there is none. Throws Damaged, NotSupported, DiskFull. */
export function openToWrite(path: string): DatabaseSync {
  return opened(path, () => {
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    // The first two have an effect only on a file that is still empty.
    database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(`PRAGMA wal_autocheckpoint = ${String(checkpointPages)};`);
    database.exec(`PRAGMA journal_size_limit = ${String(logBytesMost)};`);
    if (pragma(database, 'user_version') === 0 && tableCount(database) === 0)
      database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
    return database;
  });
}

/** Opens a database that is there. Throws Damaged, NotSupported. */
export function openToRead(path: string): DatabaseSync {
  const database = opened(path, () => new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs }));
  database.exec(`PRAGMA mmap_size = ${String(mappedBytesMost)}`);
  return database;
}

/** Reads by system calls from now on: pages that were read as memory count as the process's. */
export function unmap(database: DatabaseSync): void {
  database.exec('PRAGMA mmap_size = 0');
}

export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

function opened(path: string, open: () => DatabaseSync): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = open();
    if (pragma(database, 'application_id') !== applicationId) throw damaged(path, 'it is not the database of a store');
    const version = pragma(database, 'user_version');
    if (version !== formatVersion)
      throw new StatusError(
        'NotSupported',
        `Cannot open the store "${path}": its format is version ${String(version)}, this Slipway knows version ${String(formatVersion)}`,
      );
    return database;
  } catch (error) {
    database?.close();
    throw ofSqlite(error, path);
  }
}

function tableCount(database: DatabaseSync): number {
  return Number(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']);
}
