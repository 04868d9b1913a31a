import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { required } from '#base/assert.ts';
import { nowMs } from '#base/clock.ts';

import { tooNew } from '../failures.ts';
import { checksum } from './checksum.ts';
import { ChangeLog } from './change-log.ts';
import { openToWrite } from './database.ts';
import { reclaimPages } from './reclaim-pages.ts';
import { isDiskFailure, ofSqlite } from './sqlite-error.ts';
import { loadState, type State, stateWriter } from './state.ts';
import { isLazyWrite } from './write.ts';
import type { Expiry, Outcome, Progress, Write, WriterOptions } from './write.ts';

interface Present {
  readonly id: bigint;
  readonly value: Uint8Array;
  readonly revision: bigint;
}

/** Revisions that lazy writes may use up before one is on disk that says so. */
const revisionsAhead = 10_000n;
/** Values that go by themselves in one transaction. */
const expiriesMost = 500;
/** Commits after which it is looked whether there is room to give back. */
const commitsPerReclaim = 16;

/**
 * The only writer of a store's database; every call is one transaction that is on disk when it returns, unless all in it
 * are updates of lazy keys. Throws StatusError when nothing was written.
 */
export class Writer implements Disposable {
  readonly #options: WriterOptions;
  #database: DatabaseSync;
  #statements: ReturnType<typeof statementsOf>;
  #log: ChangeLog;
  #state: State;
  #nextExpiryMs: number | undefined;
  /** Whether commits wait for the disk at present. */
  #isDurable = true;
  #commitsSinceReclaim = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#database = openToWrite(options.path);
    this.#statements = statementsOf(this.#database);
    this.#log = new ChangeLog(this.#database, options);
    this.#state = loadState(this.#database);
    // Revisions up to the ceiling may have been given to writes that loss of power has taken back.
    if (!this.#state.isClosed) this.#state.revision = this.#state.ceiling;
    this.#log.mark(this.#state.revision);
    this.#transaction(true, () => {
      this.#state.isClosed = false;
      this.#state.ceiling = this.#state.revision + revisionsAhead;
    });
    this.#nextExpiryMs = this.#firstExpiry();
  }

  get progress(): Progress {
    const { revision, compacted, unlogged } = this.#state;
    return { revision, compacted, unlogged };
  }

  write(writes: readonly Write[]): readonly Outcome[] {
    const lastRevision = this.#state.revision + BigInt(writes.length);
    const isLazy =
      lastRevision <= this.#state.ceiling && writes.every((write) => isLazyWrite(write, this.#options.lazy));
    return this.#transaction(!isLazy, () => {
      const outcomes = writes.map((write) => this.#apply(write));
      this.#log.trim(this.#state, writes.length);
      return outcomes;
    });
  }

  /** Gives room that is free inside the file back to the file system, some at a time. */
  reclaim(): void {
    this.#commitsSinceReclaim += 1;
    if (this.#commitsSinceReclaim < commitsPerReclaim) return;
    this.#commitsSinceReclaim = 0;
    try {
      reclaimPages(this.#database);
    } catch (error) {
      this.#recover(error);
    }
  }

  /** Removes what has lived its time. */
  expire(): readonly Expiry[] {
    const now = nowMs();
    if (this.#nextExpiryMs === undefined || this.#nextExpiryMs > now) return [];
    const expired = this.#transaction(true, () => {
      const due = this.#statements.due.all(now, expiriesMost) as unknown as (Present & { readonly key: string })[];
      return due.map(({ key, ...present }): Expiry => {
        this.#remove(key, present);
        return { key, value: present.value, revision: this.#state.revision };
      });
    });
    this.#nextExpiryMs = this.#firstExpiry();
    return expired;
  }

  compact(before: bigint): void {
    if (before > this.#state.revision) throw tooNew(before, this.#state.revision);
    if (before <= this.#state.compacted) return;
    this.#transaction(true, () => this.#log.forget(this.#state, before));
  }

  /** Closes the database in order. */
  [Symbol.dispose](): void {
    if (!this.#database.isOpen) return;
    try {
      this.#transaction(true, () => {
        this.#state.isClosed = true;
        this.#state.ceiling = this.#state.revision;
      });
    } finally {
      this.#database.close();
    }
  }

  #apply(write: Write): Outcome {
    const { id, key, expected } = write;
    const present = this.#statements.present.get(key) as Present | undefined;
    const actual = present?.revision ?? 0n;
    if (actual !== expected) return { id, conflictsWith: actual };
    if (write.type === 'put') this.#put(write, present);
    else this.#remove(key, required(present, key));
    return { id, revision: this.#state.revision, before: present?.value };
  }

  #put({ key, value, ttlSeconds }: Write & { type: 'put' }, present: Present | undefined): void {
    const revision = this.#nextRevision();
    const sum = checksum(key, value, revision);
    const expiresMs = ttlSeconds === undefined ? null : nowMs() + ttlSeconds * 1000;
    if (expiresMs !== null) this.#nextExpiryMs = Math.min(this.#nextExpiryMs ?? expiresMs, expiresMs);
    if (present === undefined) this.#statements.insert.run(key, value, revision, sum, expiresMs);
    else this.#statements.update.run(value, revision, sum, expiresMs, present.id);
    this.#record(key, false, present);
  }

  #remove(key: string, present: Present): void {
    this.#nextRevision();
    this.#statements.remove.run(present.id);
    this.#record(key, true, present);
  }

  #record(key: string, isRemoved: boolean, before: Present | undefined): void {
    if (this.#options.currentOnly.some((start) => key.startsWith(start))) this.#state.unlogged = this.#state.revision;
    else this.#log.add(this.#state, { key, isRemoved, before });
  }

  #nextRevision(): bigint {
    this.#state.revision += 1n;
    if (this.#state.revision > this.#state.ceiling) this.#state.ceiling = this.#state.revision + revisionsAhead;
    return this.#state.revision;
  }

  #firstExpiry(): number | undefined {
    const first = this.#statements.firstExpiry.get()?.['first'];
    return first === null || first === undefined ? undefined : Number(first);
  }

  /** All that the work does, or nothing; not even in memory. A transaction that changed no state is not committed. */
  #transaction<T>(isDurable: boolean, work: () => T): T {
    const before = { ...this.#state };
    try {
      if (isDurable !== this.#isDurable) this.#statements[isDurable ? 'waitForDisk' : 'waitForNothing'].run();
      this.#isDurable = isDurable;
      this.#statements.begin.run();
      const result = work();
      if (isSame(before, this.#state)) {
        this.#statements.rollback.run();
        return result;
      }
      this.#statements.saveState(this.#state);
      this.#statements.commit.run();
      return result;
    } catch (error) {
      this.#state = before;
      this.#recover(error);
      throw ofSqlite(error, this.#options.path);
    }
  }

  #recover(error: unknown): void {
    try {
      if (this.#database.isTransaction) this.#statements.rollback.run();
      if (!isDiskFailure(error)) return;
      // After a failed fsync only a fresh look at the files tells what is there.
      this.#database.close();
      this.#database = openToWrite(this.#options.path);
      this.#isDurable = true;
      this.#statements = statementsOf(this.#database);
      this.#log = new ChangeLog(this.#database, this.#options);
      const found = loadState(this.#database);
      if (found.revision > this.#state.revision) this.#state = { ...found, isClosed: false };
    } catch {
      // The first error says why; the next write meets the same trouble, or finds it gone.
    }
  }
}

function isSame(a: State, b: State): boolean {
  return (
    a.revision === b.revision && a.compacted === b.compacted && a.ceiling === b.ceiling && a.isClosed === b.isClosed
  );
}

function statementsOf(database: DatabaseSync) {
  const wide = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  };
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    waitForDisk: database.prepare('PRAGMA synchronous = FULL'),
    waitForNothing: database.prepare('PRAGMA synchronous = NORMAL'),
    present: wide('SELECT id, value, revision FROM entry WHERE key = ?'),
    insert: database.prepare('INSERT INTO entry (key, value, revision, sum, expires) VALUES (?, ?, ?, ?, ?)'),
    update: database.prepare('UPDATE entry SET value = ?, revision = ?, sum = ?, expires = ? WHERE id = ?'),
    remove: database.prepare('DELETE FROM entry WHERE id = ?'),
    due: wide('SELECT id, key, value, revision FROM entry WHERE expires <= ? ORDER BY expires LIMIT ?'),
    firstExpiry: database.prepare('SELECT min(expires) AS first FROM entry WHERE expires IS NOT NULL'),
    saveState: stateWriter(database),
  };
}
