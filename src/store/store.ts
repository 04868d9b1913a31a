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
  /** Entries at most; undefined: all. */
  readonly limit?: number;
  /** The state at this revision; undefined: now. Throws Expired when it was compacted. */
  readonly at?: bigint;
}

export interface Listing {
  readonly entries: readonly Entry[];
  /** Revision that the listing shows. */
  readonly revision: bigint;
  readonly hasMore: boolean;
  /** Entries after the last one of this page. */
  readonly remaining: number;
}

export interface PutOptions {
  /** Seconds after which the value goes by itself; undefined: never. */
  readonly ttlSeconds?: number;
}

/** Bytes by key under one revision counter. What a write returned for is on disk. */
export interface Store extends AsyncDisposable {
  /** Now, or at a revision that was not compacted. */
  get(key: string, signal: AbortSignal): Promise<Entry | undefined>;
  list(prefix: string, page: Page, signal: AbortSignal): Promise<Listing>;
  /**
   * Writes when the key's revision is `expected` (0n: the key is not there) and resolves with the new revision. Throws
   * Conflict otherwise.
   */
  put(key: string, value: Uint8Array, expected: bigint, options: PutOptions, signal: AbortSignal): Promise<bigint>;
  /** Removes when the key's revision is `expected`. Throws Conflict otherwise. */
  remove(key: string, expected: bigint, signal: AbortSignal): Promise<bigint>;
  /**
   * Changes after revision `since`, in order and without gaps, until the signal aborts. Throws Expired when `since` was
   * compacted or the reader is too slow.
   */
  watch(prefix: string, since: bigint, signal: AbortSignal): AsyncIterable<Change>;
  /** Revision of the latest write. */
  revision(signal: AbortSignal): Promise<bigint>;
  /** Forgets what was before a revision; current values stay. */
  compact(before: bigint, signal: AbortSignal): Promise<void>;
}
