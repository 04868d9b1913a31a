import { after, monotonicMs, sleep } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { LogFields, Logger } from '#base/logger.ts';

import type { LogSettings, LogTarget } from '../log-config.ts';
import { removeGenerations } from '../log-files.ts';
import { type LogSource, type LogStep, readSteps } from '../read-steps.ts';
import { Batch, inGroups } from './batch.ts';
import { type Cursor, newCursor, readCursor, writeCursor } from './cursor.ts';
import type { Sink } from './sink.ts';
import { skipBacklog } from './skip-backlog.ts';

/** As much is read before it is sent, when there is more. */
const batchBytes = 256 * 1024;
/** The cursor is written at most this often; as much is sent again after a crash. */
const saveEveryMs = 200;
/** What goes wrong with every line is told once in as long. */
const complainEveryMs = 10_000;

export interface ShipperOptions {
  readonly cursorPath: string;
  /** The platform ends. */
  readonly rest: AbortSignal;
  readonly target: LogTarget;
  readonly settings: Pick<LogSettings, 'lagBytes' | 'readable'>;
  readonly openSink: (signal: AbortSignal) => Promise<Sink>;
  readonly logger: Logger;
}

/** What was handed over and may still be lost. */
interface Mark {
  readonly cursor: Cursor;
  readonly atMs: number;
}

/**
 * Sends a log on, from where it stopped, each line at least once: what was handed over counts as received only after it
 * settled, and whatever was not received is read from the files again.
 */
export class Shipper {
  readonly #options: ShipperOptions;
  /** Everything before it was received. */
  #confirmed: Cursor;
  #marks: Mark[] = [];
  #sink: Sink | undefined;
  #failures = 0;
  #unsaved = false;
  #saveTimer: Disposable | undefined;
  #settleTimer: Disposable | undefined;
  #complainedMs = -complainEveryMs;
  /** Ends the pass that goes on. */
  #onLost: (reason: unknown) => void = () => {};

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#confirmed = readCursor(options.cursorPath) ?? newCursor();
  }

  /** Whether the receiver cannot be reached at present. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /**
   * Sends what is in the log until its writer has finished and all was received. At `rest` it reads no more, and
   * waits for the word on what it is just sending, so that it need not be sent again. Rejects only then and when `signal` aborts.
   */
  async run(source: LogSource, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([this.#options.rest, signal]);
    try {
      for (;;) {
        try {
          await this.#pass(source, signal);
          return;
        } catch (error) {
          either.throwIfAborted();
          await this.#afterFailure(error, either);
        }
      }
    } finally {
      this.#closeSink();
      this.#quietly(() => this.#save());
    }
  }

  /** Sends from the confirmed place to the end; throws when the receiver fails. */
  async #pass(source: LogSource, signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    this.#onLost = (reason) => failed.abort(reason);
    const attempt = AbortSignal.any([signal, failed.signal]);
    for (let from: Cursor | undefined = this.#confirmed; from !== undefined;) {
      const next = await this.#skipped(from, source);
      from = await this.#sendFrom(next ?? from, source, attempt);
    }
    await this.#finish(source, attempt);
  }

  /** Asks for the last word on what was handed over. */
  async #finish(source: LogSource, signal: AbortSignal): Promise<void> {
    const last = this.#marks.at(-1);
    if (last === undefined) return;
    this.#settleTimer?.[Symbol.dispose]();
    this.#settleTimer = undefined;
    await this.#sink?.finish(signal);
    this.#marks = [];
    this.#received(last.cursor, source);
    this.#closeSink();
  }

  /** Returns where to go on when it fell too far behind, undefined at the end of all. */
  async #sendFrom(start: Cursor, source: LogSource, signal: AbortSignal): Promise<Cursor | undefined> {
    const batch = new Batch(start);
    const reading = AbortSignal.any([this.#options.rest, signal]);
    for await (const step of readSteps(source, start.position, true, reading)) {
      if (step !== 'idle') {
        this.#tellGap(batch.cursor, step);
        batch.add(step);
        if (batch.sizeBytes < batchBytes) continue;
      }
      await this.#flush(batch, source, signal);
      const next = await this.#skipped(batch.cursor, source);
      if (next !== undefined) return next;
    }
    reading.throwIfAborted();
    batch.end();
    await this.#flush(batch, source, signal);
    return undefined;
  }

  async #flush(batch: Batch, source: LogSource, signal: AbortSignal): Promise<void> {
    if (batch.isUnmoved) return;
    const { messages, cursor } = batch;
    batch.clear();
    if (messages.length === 0) {
      if (this.#marks.length === 0) this.#confirm(cursor, source);
      return;
    }
    if (this.#isGivenUp) {
      this.#complain('output is given up after as many attempts as the log options say', { lines: messages.length });
      this.#failures = 0;
      this.#confirm(cursor, source);
      return;
    }
    const sink = await this.#openSink(signal);
    for (const group of inGroups(messages, this.#groupBytes)) await sink.send(group, signal);
    this.#marks.push({ cursor, atMs: monotonicMs() });
    if (sink.settleMs === 0) this.#settle(source);
    else this.#settleSoon(sink, source);
  }

  async #openSink(signal: AbortSignal): Promise<Sink> {
    if (this.#sink !== undefined && this.#marks.length > 0) this.#sink.lost.throwIfAborted();
    else if (this.#sink?.lost.aborted === true || this.#sink?.isStale === true) this.#closeSink();
    this.#sink ??= await this.#options.openSink(signal);
    return this.#sink;
  }

  #settleSoon(sink: Sink, source: LogSource): void {
    this.#settleTimer ??= after(sink.settleMs, () => {
      this.#settleTimer = undefined;
      this.#quietly(() => this.#settle(source));
      if (this.#marks.length > 0 && this.#sink === sink) this.#settleSoon(sink, source);
    });
  }

  /** Takes what was handed over long enough ago for received, unless the way was lost meanwhile. */
  #settle(source: LogSource): void {
    const sink = this.#sink;
    if (sink === undefined || this.#marks.length === 0) return;
    if (sink.lost.aborted) {
      this.#onLost(sink.lost.reason);
      return;
    }
    const settled = this.#marks.findLast(({ atMs }) => monotonicMs() - atMs >= sink.settleMs);
    if (settled === undefined) return;
    this.#marks = this.#marks.slice(this.#marks.indexOf(settled) + 1);
    this.#received(settled.cursor, source);
  }

  #received(cursor: Cursor, source: LogSource): void {
    if (this.#failures > 0) this.#options.logger.info('output is sent again');
    this.#failures = 0;
    this.#confirm(cursor, source);
  }

  #confirm(cursor: Cursor, source: LogSource): void {
    const before = this.#confirmed.position.generation;
    this.#confirmed = cursor;
    this.#unsaved = true;
    this.#saveTimer ??= after(saveEveryMs, () => this.#quietly(() => this.#save()));
    const { generation } = cursor.position;
    // What nobody may read is not kept longer than it takes to send it; the cursor goes first.
    if (this.#options.settings.readable || generation === before) return;
    this.#save();
    removeGenerations(source.folder, ({ number }) => number < generation);
  }

  async #afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    const { target } = this.#options;
    this.#closeSink();
    this.#marks = [];
    this.#failures += 1;
    if (this.#failures === 1) this.#complain('output cannot be sent; it is tried again', { why: messageOf(error) });
    const { firstMs, factor, longestMs } = target.retry;
    await sleep(Math.min(firstMs * factor ** (this.#failures - 1), longestMs), signal);
  }

  /** Where to go on when a place lies further behind the end of the log than the options allow. */
  async #skipped(cursor: Cursor, { folder }: LogSource): Promise<Cursor | undefined> {
    const { settings } = this.#options;
    if (settings.lagBytes === undefined) return undefined;
    const position = await skipBacklog(folder, cursor.position, settings.lagBytes);
    if (position === undefined) return undefined;
    this.#complain('output is left out: sending fell behind by more than max-buffer-size', { to: position });
    return { ...cursor, position, waiting: [] };
  }

  /** Files have consecutive numbers: one that is missing had to go before it was read. */
  #tellGap({ position }: Cursor, { next }: Exclude<LogStep, 'idle'>): void {
    const files = next.generation - position.generation - 1;
    if (position.generation > 0 && files > 0)
      this.#complain('output was not sent before its files had to go', { files });
  }

  #complain(message: string, fields: LogFields): void {
    if (monotonicMs() - this.#complainedMs < complainEveryMs) return;
    this.#complainedMs = monotonicMs();
    this.#options.logger.warn(message, fields);
  }

  /** For work that nobody waits for: what fails, such as a full disk, is tried again with the next line. */
  #quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#complain('how far output was sent was not noted; it may be sent again', { why: messageOf(error) });
    }
  }

  get #isGivenUp(): boolean {
    const { attemptsMost } = this.#options.target.retry;
    return attemptsMost !== undefined && this.#failures > attemptsMost;
  }

  get #groupBytes(): number {
    const { target } = this.#options;
    return target.driver === 'fluentd' ? target.bufferBytes : batchBytes;
  }

  #closeSink(): void {
    this.#settleTimer?.[Symbol.dispose]();
    this.#settleTimer = undefined;
    this.#sink?.[Symbol.dispose]();
    this.#sink = undefined;
  }

  #save(): void {
    this.#saveTimer?.[Symbol.dispose]();
    this.#saveTimer = undefined;
    if (this.#unsaved) writeCursor(this.#options.cursorPath, this.#confirmed);
    this.#unsaved = false;
  }
}
