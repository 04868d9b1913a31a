import { existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { StatusError } from '#base/errors.ts';
import { makeFolderDurably, syncFolder } from '#sys/durable-file.ts';

import { databasePath, openToRead } from './database.ts';
import { lockStore } from './lock-store.ts';
import { ofSqlite } from './sqlite-error.ts';
import { loadState, stateWriter } from './state.ts';
import { type StoreReport, verifyDatabase } from './verify-store.ts';

export interface Restored extends StoreReport {
  /** The database that was there before; undefined when there was none. */
  readonly replaced: string | undefined;
}

/** Revisions that nobody has seen lie between those of the old store and those of the restored one. */
const revisionGap = 1_000n;
/** The same when the old store cannot be read: more than a store writes in years. */
const unknownRevisionGap = 10_000_000_000n;

/**
 * Puts the bytes of a backup in the place of the store in a folder, which nobody may have open; the store that was there
 * stays beside it. Either all is replaced or nothing. Whoever watched the old store is told to list again: the revision
 * goes on beyond all that were given before. Throws Damaged when the bytes are no whole store, Conflict.
 */
export async function restoreStore(
  folder: string,
  backup: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Restored> {
  await makeFolderDurably(folder);
  using _lock = lockStore(folder);
  const incoming = join(folder, 'incoming.db');
  removeDatabase(incoming);
  try {
    await write(incoming, backup, signal);
    const report = verifyDatabase(incoming);
    if (report.problems.length > 0)
      throw new StatusError('Damaged', `Cannot restore the store: the backup is damaged: ${report.problems[0] ?? ''}`);
    const revision = renumber(incoming, latestRevision(databasePath(folder)));
    const replaced = existsSync(databasePath(folder)) ? replacedPath(folder) : undefined;
    removeDatabase(replacedPath(folder));
    renameSync(incoming, readyPath(folder));
    await finishRestore(folder);
    return { ...report, revision, compacted: revision, changes: 0, path: databasePath(folder), replaced };
  } finally {
    removeDatabase(incoming);
  }
}

/** Goes on with a restore that was cut off; to be called before the store is opened. */
export async function finishRestore(folder: string): Promise<void> {
  if (!existsSync(readyPath(folder))) return;
  await syncFolder(folder);
  // The log first: it must never lie beside the new database.
  for (const ending of ['-wal', ''])
    if (existsSync(databasePath(folder) + ending))
      renameSync(databasePath(folder) + ending, replacedPath(folder) + ending);
  rmSync(`${databasePath(folder)}-shm`, { force: true });
  await syncFolder(folder);
  renameSync(readyPath(folder), databasePath(folder));
  await syncFolder(folder);
}

async function write(path: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  for await (const chunk of source) {
    signal.throwIfAborted();
    await file.writeFile(chunk);
  }
  await file.sync();
}

/** A database that is whole and waits to be put in its place. */
function readyPath(folder: string): string {
  return join(folder, 'restored.db');
}

function replacedPath(folder: string): string {
  return join(folder, 'replaced.db');
}

/** The latest that a store has given away, 0n when there is none; undefined when it cannot be read. */
function latestRevision(path: string): bigint | undefined {
  if (!existsSync(path)) return 0n;
  try {
    const database = openToRead(path);
    try {
      return loadState(database).ceiling;
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

/** Lets the store go on beyond `latest`, without a history; returns its revision. Durable. */
function renumber(path: string, latest: bigint | undefined): bigint {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
    const { ceiling } = loadState(database);
    const beyond = latest !== undefined && latest > ceiling ? latest : ceiling;
    const revision = beyond + (latest === undefined ? unknownRevisionGap : revisionGap);
    database.exec('DELETE FROM change');
    const marks = { revision, ceiling: revision, compacted: revision, unlogged: revision };
    stateWriter(database)({ ...marks, logCount: 0n, logBytes: 0n, isClosed: true });
    database.exec('COMMIT');
    return revision;
  } catch (error) {
    throw ofSqlite(error, path);
  } finally {
    database.close();
  }
}

function removeDatabase(path: string): void {
  for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(path + ending, { force: true });
}
