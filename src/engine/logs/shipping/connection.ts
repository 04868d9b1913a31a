/** A connection to a receiver, of whatever protocol. */
export interface Connection extends Disposable {
  /** Resolves when the kernel has all messages, in their order. */
  send(messages: readonly Uint8Array[], signal: AbortSignal): Promise<void>;
  /** See `Sink.finish`. */
  finish(signal: AbortSignal): Promise<void>;
  /** Aborts when the other side is gone. */
  readonly lost: AbortSignal;
  /** See `Sink.settleMs`. */
  readonly settleMs: number;
}

/** Connecting takes no longer, or counts as failed. */
export const connectTimeoutMs = 5_000;
