import { required } from '#base/assert.ts';
import { every, nowMs } from '#base/clock.ts';

import { ChangeFeed, type FeedBounds, type Stretch } from '../change-feed.ts';
import { conflict, expired, storeClosed, tooNew } from '../failures.ts';
import { checkRemove, checkTtl, checkWrite } from '../limits.ts';
import type { Change, Entry, Listing, Page, PutOptions, Store } from '../store.ts';

export interface MemoryStoreOptions {
  readonly feed?: Partial<FeedBounds>;
}

/** A store for tests: all of it, and its history until it is compacted, is in memory. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options);
}

interface Kept extends Entry {
  /** Milliseconds since the epoch. */
  readonly expiresMs: number | undefined;
}

type Logged = Change & { readonly beforeRevision: bigint };

const expiryPeriodMs = 250;

class MemoryStore implements Store {
  readonly #entries = new Map<string, Kept>();
  #log: Logged[] = [];
  #revision = 1n;
  #compacted = 0n;
  #closed = false;
  readonly #feed: ChangeFeed;
  readonly #timer: Disposable;

  constructor({ feed = {} }: MemoryStoreOptions) {
    this.#feed = new ChangeFeed({
      bounds: feed,
      revision: this.#revision,
      history: (prefix, since) => this.#history(prefix, since),
    });
    this.#timer = every(expiryPeriodMs, () => this.#expire());
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    this.#check(signal);
    return await Promise.resolve(entryOf(this.#entries.get(key)));
  }

  async list(prefix: string, { after = '', limit, at }: Page, signal: AbortSignal): Promise<Listing> {
    this.#check(signal);
    const state = at === undefined ? this.#entries : this.#stateAt(at);
    const rest = [...state.values()]
      .filter(({ key }) => key.startsWith(prefix) && compareKeys(key, after) > 0)
      .sort((a, b) => compareKeys(a.key, b.key));
    const entries = rest.slice(0, limit).map(({ key, value, revision }) => ({ key, value, revision }));
    const remaining = rest.length - entries.length;
    return await Promise.resolve({ entries, revision: at ?? this.#revision, hasMore: remaining > 0, remaining });
  }

  async put(
    key: string,
    value: Uint8Array,
    expected: bigint,
    { ttlSeconds }: PutOptions,
    signal: AbortSignal,
  ): Promise<bigint> {
    this.#check(signal);
    checkWrite(key, value);
    checkTtl(ttlSeconds);
    const before = this.#at(key, expected);
    const expiresMs = ttlSeconds === undefined ? undefined : nowMs() + ttlSeconds * 1000;
    this.#revision += 1n;
    this.#entries.set(key, { key, value, revision: this.#revision, expiresMs });
    this.#record('put', key, value, before);
    return await Promise.resolve(this.#revision);
  }

  async remove(key: string, expected: bigint, signal: AbortSignal): Promise<bigint> {
    this.#check(signal);
    checkRemove(key, expected);
    this.#remove(required(this.#at(key, expected), key));
    return await Promise.resolve(this.#revision);
  }

  watch(prefix: string, since: bigint, signal: AbortSignal): AsyncIterable<Change> {
    return this.#feed.watch(prefix, { since }, signal);
  }

  async revision(signal: AbortSignal): Promise<bigint> {
    this.#check(signal);
    this.#feed.expect(this.#revision);
    return await Promise.resolve(this.#revision);
  }

  async compact(before: bigint, signal: AbortSignal): Promise<void> {
    this.#check(signal);
    if (before > this.#revision) throw tooNew(before, this.#revision);
    if (before > this.#compacted) this.#compacted = before;
    this.#feed.compact(before);
    this.#log = this.#log.filter(({ revision }) => revision > this.#compacted);
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer[Symbol.dispose]();
    this.#feed[Symbol.dispose]();
    this.#feed.fail(storeClosed());
    await Promise.resolve();
  }

  #check(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#closed) throw storeClosed();
  }

  /** The present value, which must be of the revision. */
  #at(key: string, expected: bigint): Kept | undefined {
    const present = this.#entries.get(key);
    const actual = present?.revision ?? 0n;
    if (actual !== expected) throw conflict(key, expected, actual);
    return present;
  }

  #remove(entry: Kept): void {
    this.#revision += 1n;
    this.#entries.delete(entry.key);
    this.#record('remove', entry.key, entry.value, entry);
  }

  #record(type: 'put' | 'remove', key: string, value: Uint8Array, before: Entry | undefined): void {
    const change = { type, key, value, before: before?.value, revision: this.#revision };
    this.#log.push({ ...change, beforeRevision: before?.revision ?? 0n });
    this.#feed.append([change], this.#revision);
  }

  #expire(): void {
    const now = nowMs();
    for (const entry of this.#entries.values())
      if (entry.expiresMs !== undefined && entry.expiresMs <= now) this.#remove(entry);
  }

  /** Takes back, newest first, what came after. */
  #stateAt(at: bigint): ReadonlyMap<string, Entry> {
    if (at > this.#revision) throw tooNew(at, this.#revision);
    if (at < this.#compacted) throw expired(at, this.#compacted);
    const state = new Map<string, Entry>(this.#entries);
    for (const { key, before, beforeRevision, revision } of this.#log.toReversed()) {
      if (revision <= at) break;
      if (before === undefined) state.delete(key);
      else state.set(key, { key, value: before, revision: beforeRevision });
    }
    return state;
  }

  async *#history(prefix: string, since: bigint): AsyncGenerator<Stretch, void, undefined> {
    if (since < this.#compacted) throw expired(since, this.#compacted);
    const changes = this.#log.filter(({ key, revision }) => revision > since && key.startsWith(prefix));
    yield await Promise.resolve({
      changes,
      reached: this.#feed.revision,
    });
  }
}

/** Order of the keys' UTF-8 bytes, which is not that of UTF-16. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function entryOf(kept: Kept | undefined): Entry | undefined {
  return kept === undefined ? undefined : { key: kept.key, value: kept.value, revision: kept.revision };
}
