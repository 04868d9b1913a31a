/** A value in the store. Revisions count all writes of the store, as etcd's do. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the write that made this value. */
  readonly revision: bigint;
}

/** A write as watchers see it. */
export interface Change {
  readonly type: 'put' | 'remove' | 'progress';
  readonly key: string;
  /** The value written, for `remove` the last one; empty for `progress`. */
  readonly value: Uint8Array;
  /** The value before; undefined when the key was new. */
  readonly before: Uint8Array | undefined;
  /** `progress`: all changes up to this revision were delivered. */
  readonly revision: bigint;
}

export interface Page {
  /** Keys greater than this one; undefined: from the start of the prefix. */
  readonly after?: string;
  /** Entries at most, from 1; undefined: all. */
  readonly limit?: number;
  /**
   * The state at this revision; undefined: now. Throws Expired when it was compacted, Timeout when it is still to come.
   * Keys that a driver keeps no history of show their present value.
   */
  readonly at?: bigint;
}

/** Entries in the order of their keys' UTF-8 bytes. */
export interface Listing {
  readonly entries: readonly Entry[];
  /** Revision that the listing shows. */
  readonly revision: bigint;
  readonly hasMore: boolean;
  /** Entries after the last one of this page. */
  readonly remaining: number;
}

export interface PutOptions {
  /** Whole seconds after which the value goes by itself, unless it is written again; undefined: never. */
  readonly ttlSeconds?: number;
}

/**
 * Bytes by key under one revision counter, which starts at 1 and never goes back. What a write returned for is on disk.
 * Keys and values are bounded (`limits.ts`). Arrays of bytes are handed over: nobody changes them afterwards.
 */
export interface Store extends AsyncDisposable {
  /** The key's value now. */
  get(key: string, signal: AbortSignal): Promise<Entry | undefined>;
  list(prefix: string, page: Page, signal: AbortSignal): Promise<Listing>;
  /**
   * Writes when the key's revision is `expected` (0n: the key is not there) and resolves with the new revision. Throws
   * Conflict otherwise, DiskFull, TooLarge, and Timeout when nobody knows whether it was written.
   */
  put(key: string, value: Uint8Array, expected: bigint, options: PutOptions, signal: AbortSignal): Promise<bigint>;
  /** Removes when the key's revision is `expected`, and resolves with the revision of the removal. Throws as `put`. */
  remove(key: string, expected: bigint, signal: AbortSignal): Promise<bigint>;
  /**
   * Changes after revision `since`, in order and without gaps, until the signal aborts, which ends the iteration without
   * an error. Throws Expired when `since` was compacted or the reader is so slow that what it has still to read was.
   * `progress` comes when all that was there at the start was delivered, and then every few seconds when the store has
   * moved on by changes of other keys.
   */
  watch(prefix: string, since: bigint, signal: AbortSignal): AsyncIterable<Change>;
  /** Revision of the latest write. */
  revision(signal: AbortSignal): Promise<bigint>;
  /** Forgets what was before a revision; current values stay. */
  compact(before: bigint, signal: AbortSignal): Promise<void>;
}
