import { newId } from '#base/ids.ts';

import type { LogRecord } from './container-log.ts';

/** A line longer than this is given in parts, as Docker does. */
const longestLineBytes = 16 * 1024;
const newline = 0x0a;

/** The beginning of a line whose end has not come yet. */
export interface WaitingLine {
  readonly stream: LogRecord['stream'];
  readonly timeNs: bigint;
  readonly bytes: Uint8Array;
  /** Present when parts of the line were given already: their common ID, and how many. */
  readonly given?: { readonly id: string; readonly parts: number };
}

/**
 * Puts lines together again that conmon cut where its buffer ended. A record is a whole line, with the time at which it
 * began; a part of one only when it is longer than 16 KiB, or when nothing follows.
 */
export class PartJoiner {
  readonly #waiting = new Map<LogRecord['stream'], WaitingLine>();

  /** Goes on with lines that began before. */
  constructor(waiting: readonly WaitingLine[] = []) {
    for (const line of waiting) this.#waiting.set(line.stream, line);
  }

  /** The lines that have begun. */
  get waiting(): readonly WaitingLine[] {
    return [...this.#waiting.values()];
  }

  /** The lines that are complete with these records. */
  join(records: readonly LogRecord[]): readonly LogRecord[] {
    const lines: LogRecord[] = [];
    for (const record of records) {
      const { stream, bytes } = record;
      const isWhole = bytes[bytes.length - 1] === newline;
      if (isWhole && bytes.length <= longestLineBytes && !this.#waiting.has(stream)) lines.push(record);
      else lines.push(...this.#push(record, isWhole));
    }
    return lines;
  }

  /** Nothing follows: what waits is given as it is. */
  *end(): Generator<LogRecord, void, undefined> {
    for (const line of this.#waiting.values()) if (line.bytes.length > 0) yield recordOf(line);
    this.#waiting.clear();
  }

  *#push(record: LogRecord, isWhole: boolean): Generator<LogRecord, void, undefined> {
    const { stream } = record;
    const waiting = this.#waiting.get(stream);
    let line = joined(waiting, record);
    while (line.bytes.length - (isWhole ? 1 : 0) >= longestLineBytes) {
      const given = { id: line.given?.id ?? newId(), parts: (line.given?.parts ?? 0) + 1 };
      const part = { id: given.id, ordinal: given.parts, last: false };
      yield { stream, timeNs: line.timeNs, bytes: line.bytes.subarray(0, longestLineBytes), part };
      line = { stream, timeNs: record.timeNs, bytes: line.bytes.subarray(longestLineBytes), given };
    }
    if (isWhole) {
      this.#waiting.delete(stream);
      yield recordOf(line);
    } else this.#waiting.set(stream, line);
  }
}

function joined(waiting: WaitingLine | undefined, record: LogRecord): WaitingLine {
  // Its memory is used again.
  if (waiting === undefined) return { ...record, bytes: Buffer.from(record.bytes) };
  const timeNs = waiting.bytes.length === 0 ? record.timeNs : waiting.timeNs;
  return { ...waiting, timeNs, bytes: Buffer.concat([waiting.bytes, record.bytes]) };
}

function recordOf({ stream, timeNs, bytes, given }: WaitingLine): LogRecord {
  const record = { stream, timeNs, bytes };
  return given === undefined ? record : { ...record, part: { id: given.id, ordinal: given.parts + 1, last: true } };
}
