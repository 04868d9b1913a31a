import type { LogRecord } from '../container-log.ts';
import { PartJoiner } from '../join-parts.ts';
import type { LogStep } from '../read-steps.ts';
import type { Cursor } from './cursor.ts';
import type { LogMessage } from './sink.ts';

const groupLines = 256;

/** Lines that go together, and where reading stands behind them. */
export class Batch {
  readonly #joiner: PartJoiner;
  #messages: LogMessage[] = [];
  sizeBytes = 0;
  #cursor: Cursor;
  #unmoved = true;

  constructor(start: Cursor) {
    this.#cursor = start;
    this.#joiner = new PartJoiner(start.waiting);
  }

  get messages(): readonly LogMessage[] {
    return this.#messages;
  }

  get cursor(): Cursor {
    return { ...this.#cursor, waiting: this.#joiner.waiting };
  }

  /** Whether nothing was read since it was cleared. */
  get isUnmoved(): boolean {
    return this.#unmoved;
  }

  add({ parts, next }: Exclude<LogStep, 'idle'>): void {
    this.#take(this.#joiner.join(parts));
    this.#cursor = { ...this.#cursor, position: next };
    this.#unmoved = false;
  }

  /** Nothing follows: lines that were begun are whole. */
  end(): void {
    this.#take(this.#joiner.end());
    this.#unmoved = false;
  }

  clear(): void {
    this.#messages = [];
    this.sizeBytes = 0;
    this.#unmoved = true;
  }

  #take(records: Iterable<LogRecord>): void {
    const { epoch, sent } = this.#cursor;
    let ordinal = sent;
    for (const record of records) {
      ordinal += 1;
      // The memory of what is read is used again.
      this.#messages.push({ ...record, bytes: Buffer.from(record.bytes), epoch, ordinal });
      this.sizeBytes += record.bytes.length;
    }
    this.#cursor = { ...this.#cursor, sent: ordinal };
  }
}

/** Lines that may be on their way at once: at most 256, and no more than `bytes` unless one alone has more. */
export function* inGroups(
  messages: readonly LogMessage[],
  bytes: number,
): Generator<readonly LogMessage[], void, undefined> {
  for (let start = 0; start < messages.length;) {
    let end = start;
    for (let left = bytes; end < messages.length && end - start < groupLines; end += 1) {
      left -= messages[end]?.bytes.length ?? 0;
      if (left < 0 && end > start) break;
    }
    yield messages.slice(start, end);
    start = end;
  }
}
