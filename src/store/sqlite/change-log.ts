import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { nowMs } from '#base/clock.ts';

import { checksum } from './checksum.ts';
import type { State } from './state.ts';
import type { WriterOptions } from './write.ts';

/** A change that is to be remembered under the state's revision. */
interface LoggedChange {
  readonly key: string;
  readonly isRemoved: boolean;
  readonly before: { readonly value: Uint8Array; readonly revision: bigint } | undefined;
}

/** The oldest that may go are looked at in steps of this part of the time they are kept. */
const marksPerKeep = 16;
/** Old changes that a transaction forgets: more than it adds, so that the log shrinks to its bounds while it is written. */
const forgottenPerWrite = 2;
const forgottenBesides = 100;

/** What was before the latest changes. It forgets within the transactions that add to it. */
export class ChangeLog {
  readonly #options: WriterOptions;
  readonly #insert: StatementSync;
  readonly #oldest: StatementSync;
  readonly #upTo: StatementSync;
  readonly #remove: StatementSync;
  /** When which revision was the latest, oldest first; what a daemon before this one wrote counts from now. */
  readonly #marks: { readonly atMs: number; readonly revision: bigint }[] = [];

  constructor(database: DatabaseSync, options: WriterOptions) {
    this.#options = options;
    this.#insert = database.prepare(
      'INSERT INTO change (revision, key, removed, before, before_revision, sum) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const size = 'coalesce(length(before), 0)';
    this.#oldest = database.prepare(`SELECT revision, ${size} AS size FROM change ORDER BY revision LIMIT ?`);
    this.#oldest.setReadBigInts(true);
    this.#upTo = database.prepare(
      `SELECT count(*) AS count, coalesce(sum(${size}), 0) AS size FROM change WHERE revision <= ?`,
    );
    this.#upTo.setReadBigInts(true);
    this.#remove = database.prepare('DELETE FROM change WHERE revision <= ?');
  }

  add(state: State, { key, isRemoved, before }: LoggedChange): void {
    const sum = before === undefined ? null : checksum(key, before.value, before.revision);
    this.#insert.run(state.revision, key, isRemoved ? 1 : 0, before?.value ?? null, before?.revision ?? null, sum);
    state.logCount += 1n;
    state.logBytes += BigInt(before?.value.length ?? 0);
  }

  /** Forgets what is too old or too much, some at a time. */
  trim(state: State, writes: number): void {
    this.mark(state.revision);
    const { keepChanges, keepBytes } = this.#options;
    const tooOld = this.#tooOld();
    let [count, bytes, forgotten] = [state.logCount, state.logBytes, 0n];
    for (const row of this.#oldest.iterate(writes * forgottenPerWrite + forgottenBesides)) {
      const { revision, size } = row as unknown as { readonly revision: bigint; readonly size: bigint };
      if (revision > tooOld && count <= keepChanges && bytes <= keepBytes) break;
      forgotten = revision;
      count -= 1n;
      bytes -= size;
    }
    if (forgotten === 0n) return;
    this.#remove.run(forgotten);
    [state.logCount, state.logBytes, state.compacted] = [count, bytes, forgotten];
  }

  /** Forgets all up to a revision. */
  forget(state: State, upTo: bigint): void {
    const { count, size } = this.#upTo.get(upTo) as { readonly count: bigint; readonly size: bigint };
    this.#remove.run(upTo);
    state.logCount -= count;
    state.logBytes -= size;
    state.compacted = upTo;
  }

  /** Notes that it is this late. */
  mark(revision: bigint): void {
    const now = nowMs();
    const last = this.#marks.at(-1);
    if (last === undefined || now - last.atMs >= this.#options.keepMs / marksPerKeep)
      this.#marks.push({ atMs: now, revision });
  }

  /** The latest revision that was there before the time that is kept. */
  #tooOld(): bigint {
    const limit = nowMs() - this.#options.keepMs;
    let [first, second] = this.#marks;
    while (second !== undefined && second.atMs <= limit) {
      this.#marks.shift();
      [first, second] = this.#marks;
    }
    return first !== undefined && first.atMs <= limit ? first.revision : 0n;
  }
}
