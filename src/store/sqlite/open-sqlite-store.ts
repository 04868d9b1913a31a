import { setImmediate as nextTurn } from 'node:timers/promises';

import { reasonOf } from '#base/errors.ts';
import { makeFolderDurably } from '#sys/durable-file.ts';

import { ChangeFeed, type FeedBounds, type Stretch } from '../change-feed.ts';
import { expired, storeClosed } from '../failures.ts';
import { checkRemove, checkTtl, checkWrite } from '../limits.ts';
import type { Change, Entry, Listing, Page, PutOptions, Store } from '../store.ts';
import { databasePath } from './database.ts';
import { lockStore } from './lock-store.ts';
import { Reader } from './reader.ts';
import { finishRestore } from './restore-store.ts';
import type { Progress, WriterOptions } from './write.ts';
import { type OnChanges, WritingThread } from './writing-thread.ts';

export interface SqliteStoreOptions extends Partial<Omit<WriterOptions, 'path'>> {
  readonly feed?: Partial<FeedBounds>;
}

const defaults: Omit<WriterOptions, 'path'> = {
  keepMs: 5 * 60_000,
  keepChanges: 50_000,
  keepBytes: 256 * 1024 * 1024,
  currentOnly: [],
  lazy: [],
};
/** Entries of a list that are read without a pause. */
const listedAtOnce = 1000;

/**
 * Opens the store in a folder, which is made when it is not there. Throws Conflict when another process has it open,
 * Damaged, DiskFull.
 */
export async function openSqliteStore(folder: string, options: SqliteStoreOptions = {}): Promise<Store> {
  const { feed = {}, ...given } = options;
  await makeFolderDurably(folder);
  using opened = new DisposableStack();
  const lock = opened.use(lockStore(folder));
  await finishRestore(folder);
  const all = { ...defaults, ...given, path: databasePath(folder) };
  const store = await SqliteStore.open(all, feed, lock);
  opened.move();
  return store;
}

class SqliteStore implements Store {
  readonly #options: WriterOptions;
  readonly #reader: Reader;
  readonly #feed: ChangeFeed;
  readonly #thread: WritingThread;
  readonly #lock: Disposable;
  /** Of the latest change without history that is not in memory. */
  #unlogged: bigint;
  #isClosed = false;

  private constructor(options: WriterOptions, parts: Parts) {
    const { thread, reader, progress, feed, lock } = parts;
    this.#options = options;
    [this.#thread, this.#reader, this.#lock] = [thread, reader, lock];
    this.#unlogged = progress.unlogged;
    this.#feed = new ChangeFeed({
      bounds: feed,
      revision: progress.revision,
      history: (...args) => this.#history(...args),
      onDrop: ({ key, revision }) => {
        if (this.#isCurrentOnly(key)) this.#unlogged = revision;
      },
    });
    this.#feed.compact(progress.compacted);
  }

  static async open(options: WriterOptions, feed: Partial<FeedBounds>, lock: Disposable): Promise<SqliteStore> {
    let onChanges: OnChanges = () => {};
    const { thread, progress } = await WritingThread.open(options, (...args) => onChanges(...args));
    try {
      const reader = new Reader(options.path);
      const store = new SqliteStore(options, { thread, reader, progress, feed, lock });
      onChanges = (...args) => store.#hear(...args);
      return store;
    } catch (error) {
      await thread[Symbol.asyncDispose]();
      throw error;
    }
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    this.#check(signal);
    return await Promise.resolve(this.#reader.get(key));
  }

  async list(prefix: string, page: Page, signal: AbortSignal): Promise<Listing> {
    this.#check(signal);
    if (page.limit !== undefined) return this.#reader.list(prefix, page, true);
    try {
      return await this.#listInTurns(prefix, page, signal);
    } catch (error) {
      if (page.at !== undefined || reasonOf(error) !== 'Expired') throw error;
      return this.#reader.list(prefix, page, false);
    }
  }

  async put(
    key: string,
    value: Uint8Array,
    expected: bigint,
    options: PutOptions,
    signal: AbortSignal,
  ): Promise<bigint> {
    this.#check(signal);
    checkWrite(key, value);
    checkTtl(options.ttlSeconds);
    return await orLeave(this.#thread.put(key, value, expected, options), signal);
  }

  async remove(key: string, expected: bigint, signal: AbortSignal): Promise<bigint> {
    this.#check(signal);
    checkRemove(key, expected);
    return await orLeave(this.#thread.remove(key, expected), signal);
  }

  watch(prefix: string, since: bigint, signal: AbortSignal): AsyncIterable<Change> {
    return this.#feed.watch(prefix, { since }, signal);
  }

  async revision(signal: AbortSignal): Promise<bigint> {
    this.#check(signal);
    const { revision } = this.#reader.state();
    this.#feed.expect(revision);
    return await Promise.resolve(revision);
  }

  async compact(before: bigint, signal: AbortSignal): Promise<void> {
    this.#check(signal);
    await orLeave(this.#thread.compact(before), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#feed.fail(storeClosed());
    this.#feed[Symbol.dispose]();
    this.#reader[Symbol.dispose]();
    // The last connection takes the write-ahead log away.
    await this.#thread[Symbol.asyncDispose]();
    this.#lock[Symbol.dispose]();
  }

  #check(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#isClosed) throw storeClosed();
  }

  #hear(changes: readonly Change[], { revision, compacted, unlogged }: Progress): void {
    this.#feed.compact(compacted);
    const last = changes.at(-1)?.revision ?? this.#feed.revision;
    if (last === revision) return this.#feed.append(changes, revision);
    // A write that failed turned out to be there: whoever watches reads it.
    this.#unlogged = unlogged;
    this.#feed.restart(revision);
  }

  /** A list of any length, with a turn for others between its parts, and yet of one state. */
  async #listInTurns(prefix: string, page: Page, signal: AbortSignal): Promise<Listing> {
    let part = this.#reader.list(prefix, { ...page, limit: listedAtOnce }, false);
    if (!part.hasMore) return part;
    const { revision } = part;
    const entries = [...part.entries];
    while (part.hasMore) {
      await nextTurn();
      this.#check(signal);
      const after = entries.at(-1)?.key ?? '';
      part = this.#reader.list(prefix, { after, at: revision, limit: listedAtOnce }, false);
      for (const entry of part.entries) entries.push(entry);
    }
    return { entries, revision, hasMore: false, remaining: 0 };
  }

  async *#history(prefix: string, since: bigint, signal: AbortSignal): AsyncGenerator<Stretch, void, undefined> {
    for (let position = since; !signal.aborted;) {
      if (this.#isClosed) throw storeClosed();
      const lacks = this.#options.currentOnly.some((start) => start.startsWith(prefix) || prefix.startsWith(start));
      if (lacks && position < this.#unlogged) throw expired(position, this.#unlogged);
      const stretch = this.#reader.changes(prefix, position, this.#feed.revision);
      position = stretch.reached;
      yield stretch;
      await nextTurn();
    }
  }

  #isCurrentOnly(key: string): boolean {
    return this.#options.currentOnly.some((start) => key.startsWith(start));
  }
}

interface Parts {
  readonly thread: WritingThread;
  readonly reader: Reader;
  readonly progress: Progress;
  readonly feed: Partial<FeedBounds>;
  readonly lock: Disposable;
}

/** Whoever leaves does not wait; the work goes on. */
async function orLeave<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, left]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
