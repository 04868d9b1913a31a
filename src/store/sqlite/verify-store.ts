import { existsSync, statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { StatusError } from '#base/errors.ts';

import { checksum } from './checksum.ts';
import { databasePath, openToRead } from './database.ts';
import { ofSqlite } from './sqlite-error.ts';
import { loadState, type State } from './state.ts';

export interface StoreReport {
  /** Of the database's file. */
  readonly path: string;
  /** Of the file, without its write-ahead log. */
  readonly sizeBytes: number;
  readonly revision: bigint;
  /** Nothing is known of what was before. */
  readonly compacted: bigint;
  /** Keys with a value. */
  readonly entries: number;
  /** Changes of which it is known what was before. */
  readonly changes: number;
  /** What is wrong, a sentence each; the first ones when there are many. */
  readonly problems: readonly string[];
}

interface Row {
  readonly key: string;
  readonly revision: bigint;
  readonly value: Uint8Array | null;
  readonly valueRevision: bigint | null;
  readonly sum: bigint | null;
}

const problemsMost = 100;

/** Reads all of the store in a folder, also while a daemon has it open. Throws NotFound, Damaged. */
export function verifyStore(folder: string): StoreReport {
  const path = databasePath(folder);
  if (!existsSync(path)) throw new StatusError('NotFound', `Cannot find a store in "${folder}": it has no ${path}`);
  return verifyDatabase(path);
}

/** Reads all of a store's database. Throws Damaged when it cannot be read at all. */
export function verifyDatabase(path: string): StoreReport {
  const database = openToRead(path);
  try {
    // One transaction, so that a daemon that writes meanwhile is seen at one moment.
    database.exec('BEGIN');
    const state = loadState(database);
    const problems = [...problemsOf(database, state)];
    const [entries, changes] = [countOf(database, 'entry'), countOf(database, 'change')];
    const { revision, compacted } = state;
    return { path, sizeBytes: statSync(path).size, revision, compacted, entries, changes, problems };
  } catch (error) {
    throw ofSqlite(error, path);
  } finally {
    database.close();
  }
}

function problemsOf(database: DatabaseSync, state: State): Iterable<string> {
  const structure = database.prepare(`PRAGMA integrity_check(${String(problemsMost)})`).all();
  const found = structure.map((row) => String(row['integrity_check'])).filter((text) => text !== 'ok');
  // Rows of a broken tree say nothing.
  if (found.length > 0) return found;
  return [...wrongValues(database), ...wrongRevisions(database, state), ...wrongCounts(database, state)].slice(
    0,
    problemsMost,
  );
}

function* wrongValues(database: DatabaseSync): Generator<string, void, undefined> {
  const entries = wide(database, 'SELECT key, revision, value, revision AS valueRevision, sum FROM entry');
  const changes = wide(
    database,
    'SELECT key, revision, before AS value, before_revision AS valueRevision, sum FROM change WHERE before IS NOT NULL',
  );
  for (const [table, statement] of [
    ['present', entries],
    ['former', changes],
  ] as const) {
    for (const one of statement.iterate()) {
      const { key, value, valueRevision, sum } = one as unknown as Row;
      if (value === null || valueRevision === null || checksum(key, value, valueRevision) !== Number(sum))
        yield `the ${table} value of "${key}" at revision ${String(valueRevision)} is not what was written`;
    }
  }
}

/** Each change leads to the next one of its key, and the last one to the present value. */
function* wrongRevisions(database: DatabaseSync, state: State): Generator<string, void, undefined> {
  const late = wide(
    database,
    'SELECT key, revision FROM entry WHERE revision > ? UNION ALL SELECT key, revision FROM change WHERE revision > ?',
  );
  for (const one of late.iterate(state.revision, state.revision)) {
    const { key, revision } = one as unknown as Row;
    yield `"${key}" has revision ${String(revision)}, the store ends at ${String(state.revision)}`;
  }
  const links = wide(
    database,
    `SELECT key, revision, result, next FROM (
      SELECT key, revision, CASE removed WHEN 1 THEN NULL ELSE revision END AS result,
        CASE WHEN lead(revision) OVER later IS NULL THEN (SELECT revision FROM entry WHERE entry.key = change.key)
          ELSE lead(before_revision) OVER later END AS next
      FROM change WINDOW later AS (PARTITION BY key ORDER BY revision)
    ) WHERE result IS NOT next`,
  );
  for (const one of links.iterate()) {
    const { key, revision } = one as unknown as Row;
    yield `the change of "${key}" at revision ${String(revision)} does not lead to what came next`;
  }
}

function* wrongCounts(database: DatabaseSync, state: State): Generator<string, void, undefined> {
  const found = wide(
    database,
    'SELECT count(*) AS count, coalesce(sum(length(before)), 0) AS bytes, min(revision) AS first FROM change',
  ).get() as { readonly count: bigint; readonly bytes: bigint; readonly first: bigint | null };
  if (found.count !== state.logCount || found.bytes !== state.logBytes)
    yield `the log has ${String(found.count)} changes, ${String(state.logCount)} were counted`;
  if (found.first !== null && found.first <= state.compacted)
    yield `the log begins at revision ${String(found.first)}, it was compacted to ${String(state.compacted)}`;
}

function countOf(database: DatabaseSync, table: 'entry' | 'change'): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

function wide(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  return statement;
}
