import type { LogRecord } from './container-log.ts';

/** A line longer than this is given in parts, as Docker does. */
const longestLineBytes = 16 * 1024;
const newline = 0x0a;

/**
 * Puts lines together again that conmon cut where its buffer ended. A record is a whole line, with the time at which it
 * began; a part of one only when it is longer than 16 KiB, or when nothing follows.
 */
export class PartJoiner {
  readonly #waiting = new Map<LogRecord['stream'], { record: LogRecord; parts: Uint8Array[]; bytes: number }>();

  *push(record: LogRecord): Generator<LogRecord, void, undefined> {
    const waiting = this.#waiting.get(record.stream);
    const isWhole = record.bytes.at(-1) === newline;
    if (waiting === undefined && isWhole) yield record;
    else {
      const line = waiting ?? { record, parts: [], bytes: 0 };
      line.parts.push(record.bytes);
      line.bytes += record.bytes.length;
      this.#waiting.set(record.stream, line);
      if (isWhole || line.bytes >= longestLineBytes) yield* this.#take(record.stream);
    }
  }

  /** Nothing follows: what waits is given as it is. */
  *end(): Generator<LogRecord, void, undefined> {
    for (const stream of ['stdout', 'stderr'] as const) yield* this.#take(stream);
  }

  *#take(stream: LogRecord['stream']): Generator<LogRecord, void, undefined> {
    const line = this.#waiting.get(stream);
    this.#waiting.delete(stream);
    if (line !== undefined) yield { ...line.record, bytes: Buffer.concat(line.parts) };
  }
}
