import type { Reason } from '#base/errors.ts';

/** What the writing thread is asked for. */
export type Write =
  | {
      readonly type: 'put';
      readonly id: number;
      readonly key: string;
      readonly value: Uint8Array;
      readonly expected: bigint;
      readonly ttlSeconds: number | undefined;
    }
  | { readonly type: 'remove'; readonly id: number; readonly key: string; readonly expected: bigint };

/** What became of a write: its revision and what was before, or the revision that the key has instead. */
export type Outcome =
  | { readonly id: number; readonly revision: bigint; readonly before: Uint8Array | undefined }
  | { readonly id: number; readonly conflictsWith: bigint };

/** A value that went by itself. */
export interface Expiry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: bigint;
}

/** Where the store is. */
export interface Progress {
  readonly revision: bigint;
  readonly compacted: bigint;
  /** Of the latest write of a key without history. */
  readonly unlogged: bigint;
}

export type Request =
  | { readonly writes: readonly Write[] }
  | { readonly compact: bigint; readonly id: number }
  | { readonly close: true };

export type Report = { readonly type: 'refused'; readonly failure: Failure } | WorkReport;

/** What an open database says. */
type WorkReport = { readonly progress: Progress } & (
  | { readonly type: 'opened' | 'closed' }
  | { readonly type: 'written'; readonly outcomes: readonly Outcome[] }
  | { readonly type: 'expired'; readonly expired: readonly Expiry[] }
  | { readonly type: 'compacted'; readonly id: number }
  | { readonly type: 'failed'; readonly ids: readonly number[]; readonly failure: Failure }
);

/** An error on its way from one thread to another. */
export interface Failure {
  readonly reason: Reason;
  readonly message: string;
}

/** Whether nobody waits for the disk: an update of a lazy key. */
export function isLazyWrite(write: Write, lazy: readonly string[]): boolean {
  return write.type === 'put' && write.expected > 0n && lazy.some((start) => write.key.startsWith(start));
}

export interface WriterOptions {
  /** The database's file. */
  readonly path: string;
  /** How long what was before a change is kept, in milliseconds. */
  readonly keepMs: number;
  /** Changes of which it is kept at most. */
  readonly keepChanges: number;
  /** Bytes of it at most. */
  readonly keepBytes: number;
  /** Starts of keys of which only the present value is kept: no history. */
  readonly currentOnly: readonly string[];
  /**
   * Starts of keys, among those, whose updates are not waited for: loss of power may take the last ones back, in order
   * and never in part.
   */
  readonly lazy: readonly string[];
}
