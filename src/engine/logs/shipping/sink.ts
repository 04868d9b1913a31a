import type { Logger } from '#base/logger.ts';

import type { LogRecord } from '../container-log.ts';
import type { LogOrigin } from '../log-origin.ts';

/** A line to send. */
export interface LogMessage extends LogRecord {
  /** Names the series of ordinals: the same line has the same pair when it is sent again. */
  readonly epoch: string;
  /** From 1 on. */
  readonly ordinal: number;
}

/** A way to a receiver that is open. */
export interface Sink extends Disposable {
  /** Resolves when all are handed over: confirmed where the protocol can, else in the kernel's hands. */
  send(messages: readonly LogMessage[], signal: AbortSignal): Promise<void>;
  /** Resolves when all that was handed over was received, as far as the protocol can tell; nothing is sent after it. */
  finish(signal: AbortSignal): Promise<void>;
  /** Aborts when the way is gone; what was handed over shortly before may be lost. */
  readonly lost: AbortSignal;
  /** Milliseconds after which what was handed over counts as received while the way stands. */
  readonly settleMs: number;
  /** Whether it is to be opened anew, since names may lead elsewhere by now. */
  readonly isStale?: boolean;
}

export interface SinkOptions {
  readonly origin: LogOrigin;
  /** journald's socket. */
  readonly journalSocket: string;
  readonly logger: Logger;
}

const newline = 0x0a;

/** The text of a line without its newline. */
export function lineOf({ bytes }: LogRecord): Uint8Array {
  return bytes.at(-1) === newline ? bytes.subarray(0, -1) : bytes;
}

/** Syslog's severities as Docker gives them: error for stderr, informational else. */
export function severityOf({ stream }: LogRecord): 3 | 6 {
  return stream === 'stderr' ? 3 : 6;
}
