export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Last lines only; undefined: all. */
  readonly tail?: number;
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
}

/** A line of a container's output (with its newline, when it had one), or a part of a line longer than 16 KiB. */
export interface LogRecord {
  readonly stream: 'stdout' | 'stderr';
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint;
  readonly bytes: Uint8Array;
  /** Present when it is a part of a longer line: the ID of all its parts, the number of this one from 1 on. */
  readonly part?: { readonly id: string; readonly ordinal: number; readonly last: boolean };
}
