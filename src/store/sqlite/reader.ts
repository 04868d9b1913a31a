import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { after } from '#base/clock.ts';

import type { Stretch } from '../change-feed.ts';
import { expired, tooNew } from '../failures.ts';
import { prefixEnd } from '../prefix-end.ts';
import type { Change, Entry, Listing, Page } from '../store.ts';
import { checksum } from './checksum.ts';
import { openToRead, unmap } from './database.ts';
import { damaged, ofSqlite } from './sqlite-error.ts';
import { loadState, type State } from './state.ts';

interface EntryRow extends Entry {
  readonly sum: bigint;
}

interface ChangeRow {
  readonly revision: bigint;
  readonly key: string;
  readonly removed: bigint;
  readonly before: Uint8Array | null;
  readonly before_revision: bigint | null;
  readonly sum: bigint | null;
}

/** Changes, and bytes of them, that are read without a pause. */
const stretchChanges = 1000;
const stretchBytes = 4 * 1024 * 1024;
/** At the start everything is read, later hardly anything. */
const mappedMs = 30_000;
/** SQLite orders all blobs after all texts. */
const afterAllText = new Uint8Array(1);
/** The state of `:at`, as far as it differs from the present one, is what was before the first change after it. */
const pastState = `
  SELECT key, value, revision, sum FROM entry WHERE key >= :from AND key < :end
    AND NOT EXISTS (SELECT 1 FROM change WHERE change.key = entry.key AND change.revision > :at)
  UNION ALL
  SELECT key, before AS value, before_revision AS revision, sum FROM change
  WHERE key >= :from AND key < :end AND revision > :at AND before IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM change AS earlier
    WHERE earlier.key = change.key AND earlier.revision > :at AND earlier.revision < change.revision
  )`;

/** Reads a store's database, in the thread of the caller: a value takes microseconds. */
export class Reader implements Disposable {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #unmapping: Disposable;

  constructor(path: string) {
    this.#path = path;
    this.#database = openToRead(path);
    this.#statements = statementsOf(this.#database);
    this.#unmapping = after(mappedMs, () => unmap(this.#database));
  }

  get(key: string): Entry | undefined {
    return this.#guarded(() => {
      const row = this.#statements.get.get(key) as EntryRow | undefined;
      return row === undefined ? undefined : this.#entry(row);
    });
  }

  state(): State {
    return this.#guarded(() => loadState(this.#database));
  }

  /** Without `isCounted` what remains is counted as 1 at most. */
  list(prefix: string, { after = '', limit, at }: Page, isCounted: boolean): Listing {
    return this.#snapshot((state) => {
      if (at !== undefined && at > state.revision) throw tooNew(at, state.revision);
      if (at !== undefined && at < state.compacted) throw expired(at, state.compacted);
      const isPast = at !== undefined && at < state.revision;
      const { listNow, listPast, countNow, countPast } = this.#statements;
      const range = { ...rangeOf(prefix, after), ...(isPast ? { at } : {}) };
      const most = limit === undefined ? -1 : limit + 1;
      const rows = (isPast ? listPast : listNow).all({ ...range, most }) as unknown as EntryRow[];
      const hasMore = limit !== undefined && rows.length > limit;
      const entries = rows.slice(0, limit).map((row) => this.#entry(row));
      const rest = { ...range, ...rangeOf(prefix, entries.at(-1)?.key ?? after) };
      const remaining =
        hasMore && isCounted ? Number((isPast ? countPast : countNow).get(rest)?.['n']) : Number(hasMore);
      return { entries, revision: at ?? state.revision, hasMore, remaining };
    });
  }

  /** The changes of a prefix after a revision and up to another, or the first ones of them. Throws Expired. */
  changes(prefix: string, since: bigint, upTo: bigint): Stretch {
    return this.#snapshot(({ compacted }) => {
      if (since < compacted) throw expired(since, compacted);
      const { from, end } = rangeOf(prefix, '');
      const changes: Change[] = [];
      let [count, size] = [0, 0];
      for (const one of this.#statements.changes.iterate({ since, upTo })) {
        const row = one as unknown as ChangeRow;
        if (count >= stretchChanges || size >= stretchBytes) return { changes, reached: row.revision - 1n };
        count += 1;
        if (row.key < from || !row.key.startsWith(prefix) || end === from) continue;
        const change = this.#change(row);
        size += change.value.length + (change.before?.length ?? 0);
        changes.push(change);
      }
      return { changes, reached: upTo };
    });
  }

  [Symbol.dispose](): void {
    this.#unmapping[Symbol.dispose]();
    this.#database.close();
  }

  #change(row: ChangeRow): Change {
    const { revision, key } = row;
    const before = row.before === null ? undefined : row.before;
    if (before !== undefined) this.#check(key, before, row.before_revision ?? 0n, row.sum ?? 0n);
    if (row.removed === 1n) return { type: 'remove', key, value: before ?? new Uint8Array(), before, revision };
    return { type: 'put', key, value: this.#written(key, revision), before, revision };
  }

  /** The value that a write made: what the next change has as `before`, else the present one. */
  #written(key: string, revision: bigint): Uint8Array {
    const next = this.#statements.next.get(key, revision) as ChangeRow | undefined;
    const found =
      next === undefined
        ? (this.#statements.get.get(key) as EntryRow | undefined)
        : { key, value: next.before, revision: next.before_revision, sum: next.sum ?? 0n };
    if (found?.value === undefined || found.value === null || found.revision !== revision)
      throw damaged(this.#path, `the value of "${key}" at revision ${String(revision)} is missing`);
    return this.#check(key, found.value, revision, found.sum);
  }

  #entry({ key, value, revision, sum }: EntryRow): Entry {
    return { key, value: this.#check(key, value, revision, sum), revision };
  }

  #check(key: string, value: Uint8Array, revision: bigint, sum: bigint): Uint8Array {
    if (checksum(key, value, revision) === Number(sum)) return value;
    throw damaged(this.#path, `the value of "${key}" at revision ${String(revision)} is not what was written`);
  }

  /** Several reads of one state. */
  #snapshot<T>(read: (state: State) => T): T {
    return this.#guarded(() => {
      this.#statements.begin.run();
      try {
        return read(loadState(this.#database));
      } finally {
        this.#statements.commit.run();
      }
    });
  }

  #guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw ofSqlite(error, this.#path);
    }
  }
}

/** Of the keys with a prefix that are greater than `after`; keys have no NUL. */
function rangeOf(prefix: string, after: string): { readonly from: string; readonly end: string | Uint8Array } {
  const isWithin = after.startsWith(prefix) || Buffer.compare(Buffer.from(after), Buffer.from(prefix)) > 0;
  return { from: isWithin && after !== '' ? `${after}\u0001` : prefix, end: prefixEnd(prefix) ?? afterAllText };
}

function statementsOf(database: DatabaseSync) {
  const wide = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  };
  const inRange = 'FROM entry WHERE key >= :from AND key < :end';
  return {
    begin: database.prepare('BEGIN'),
    commit: database.prepare('COMMIT'),
    get: wide('SELECT key, value, revision, sum FROM entry WHERE key = ?'),
    listNow: wide(`SELECT key, value, revision, sum ${inRange} ORDER BY key LIMIT :most`),
    listPast: wide(`${pastState} ORDER BY key LIMIT :most`),
    countNow: wide(`SELECT count(*) AS n ${inRange}`),
    countPast: wide(`SELECT count(*) AS n FROM (${pastState})`),
    changes: wide('SELECT * FROM change WHERE revision > :since AND revision <= :upTo ORDER BY revision'),
    next: wide('SELECT * FROM change WHERE key = ? AND revision > ? ORDER BY revision LIMIT 1'),
  };
}
