import type { Worker } from 'node:worker_threads';

import { after } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { startThread } from '#base/thread.ts';

import { conflict, storeClosed } from '../failures.ts';
import type { Change, PutOptions } from '../store.ts';
import { isLazyWrite } from './write.ts';
import type { Failure, Outcome, Progress, Report, Request, Write, WriterOptions } from './write.ts';

/** What the thread did, in the order of the revisions. */
export type OnChanges = (changes: readonly Change[], progress: Progress) => void;

interface Pending {
  readonly write: Write | undefined;
  readonly resolve: (revision: bigint) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes that may wait for the disk. */
const pendingMost = 20_000;
const pendingBytesMost = 64 * 1024 * 1024;
/** One that the thread writes, and one that it takes up at once when it is done. */
const messagesOutMost = 2;
/** Heartbeats wait for each other as long: to wake the thread costs more than to write one. */
const lazyWaitMs = 25;
/** Of the thread's JavaScript heap; values are not in it. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** This thread's side of the writing thread. Resolves what it is asked for after `onChanges` has heard of it. */
export class WritingThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #onChanges: OnChanges;
  readonly #lazy: readonly string[];
  readonly #pending = new Map<number, Pending>();
  readonly #opened = Promise.withResolvers<Progress>();
  readonly #ended = Promise.withResolvers<void>();
  /** What the next message will have. */
  #outbox: Write[] = [];
  /** Set while the next message waits for more that is lazy. */
  #waiting: Disposable | undefined;
  /** The last write of each message that was not reported on to its end. */
  readonly #lastsOut: number[] = [];
  #pendingBytes = 0;
  #lastId = 0;
  /** Why nothing more is written. */
  #failure: unknown;

  private constructor(options: WriterOptions, onChanges: OnChanges) {
    this.#onChanges = onChanges;
    this.#lazy = options.lazy;
    this.#worker = startThread(new URL('./write-thread.ts', import.meta.url), options, resourceLimits);
    this.#worker.on('message', (report: Report) => this.#hear(report));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the thread that writes the store has ended')));
  }

  /** Resolves when the database is open, with where it is. Throws what opening it throws. */
  static async open(
    options: WriterOptions,
    onChanges: OnChanges,
  ): Promise<{ thread: WritingThread; progress: Progress }> {
    const thread = new WritingThread(options, onChanges);
    return { thread, progress: await thread.#opened.promise };
  }

  async put(key: string, value: Uint8Array, expected: bigint, { ttlSeconds }: PutOptions): Promise<bigint> {
    return await this.#write({ type: 'put', id: this.#nextId(), key, value, expected, ttlSeconds });
  }

  async remove(key: string, expected: bigint): Promise<bigint> {
    return await this.#write({ type: 'remove', id: this.#nextId(), key, expected });
  }

  async compact(before: bigint): Promise<void> {
    this.#check();
    const id = this.#nextId();
    const done = this.#expect(id, undefined);
    this.#flush();
    this.#send({ compact: before, id });
    await done;
  }

  /** Writes what was asked for, and closes the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#failure === undefined) {
      this.#flush();
      this.#send({ close: true });
      this.#failure = storeClosed();
    }
    await this.#ended.promise;
    await this.#worker.terminate();
  }

  #nextId(): number {
    return (this.#lastId += 1);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #write(write: Write): Promise<bigint> {
    this.#check();
    if (this.#pending.size >= pendingMost || this.#pendingBytes > pendingBytesMost)
      throw new StatusError(
        'Unavailable',
        `Cannot write "${write.key}": too much waits for the disk; try again later`,
        {
          retryAfterMs: 1000,
        },
      );
    const done = this.#expect(write.id, write);
    // What is asked for in one turn goes in one message; so does what comes while the thread has enough to do.
    const isFirst = this.#outbox.push(write) === 1;
    if (!isLazyWrite(write, this.#lazy)) {
      if (isFirst || this.#waiting !== undefined) this.#flushSoon();
    } else if (isFirst) this.#waiting = after(lazyWaitMs, () => this.#flushSoon());
    return await done;
  }

  async #expect(id: number, write: Write | undefined): Promise<bigint> {
    const { promise, resolve, reject } = Promise.withResolvers<bigint>();
    this.#pending.set(id, { write, resolve, reject });
    this.#pendingBytes += sizeOf(write);
    return await promise;
  }

  #flushSoon(): void {
    this.#waiting?.[Symbol.dispose]();
    this.#waiting = undefined;
    if (this.#outbox.length > 0 && this.#lastsOut.length < messagesOutMost) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const last = this.#outbox.at(-1);
    if (last === undefined) return;
    this.#lastsOut.push(last.id);
    this.#send({ writes: this.#outbox });
    this.#outbox = [];
  }

  /** Writes are reported on in the order in which they were sent. */
  #reported(lastId = 0): void {
    const left = this.#lastsOut.findIndex((id) => id > lastId);
    this.#lastsOut.splice(0, left < 0 ? this.#lastsOut.length : left);
    this.#flushSoon();
  }

  #send(request: Request): void {
    this.#worker.postMessage(request, []);
  }

  #hear(report: Report): void {
    if (report.type === 'refused') return this.#end(revive(report.failure));
    const { progress } = report;
    switch (report.type) {
      case 'opened':
        return this.#opened.resolve(progress);
      case 'written': {
        const changes = report.outcomes.flatMap((outcome) => this.#changeOf(outcome) ?? []);
        this.#onChanges(changes, progress);
        for (const outcome of report.outcomes) this.#settle(outcome);
        return this.#reported(report.outcomes.at(-1)?.id);
      }
      case 'expired': {
        const expired = report.expired.map((expiry) => ({ type: 'remove', ...expiry, before: expiry.value }) as const);
        return this.#onChanges(expired, progress);
      }
      case 'compacted':
        this.#onChanges([], progress);
        return this.#take(report.id)?.resolve(progress.revision);
      case 'failed':
        this.#onChanges([], progress);
        for (const id of report.ids) this.#take(id)?.reject(revive(report.failure));
        return this.#reported(report.ids.at(-1));
      default:
        return this.#ended.resolve();
    }
  }

  #changeOf(outcome: Outcome): Change | undefined {
    const write = this.#pending.get(outcome.id)?.write;
    if (write === undefined || 'conflictsWith' in outcome) return undefined;
    const { revision, before } = outcome;
    if (write.type === 'put') return { type: 'put', key: write.key, value: write.value, before, revision };
    return { type: 'remove', key: write.key, value: before ?? new Uint8Array(), before, revision };
  }

  #settle(outcome: Outcome): void {
    const pending = this.#take(outcome.id);
    if (pending?.write === undefined) return;
    if ('revision' in outcome) pending.resolve(outcome.revision);
    else pending.reject(conflict(pending.write.key, pending.write.expected, outcome.conflictsWith));
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    this.#pendingBytes -= sizeOf(pending?.write);
    return pending;
  }

  #end(error: unknown): void {
    this.#failure ??= error;
    this.#opened.reject(error);
    this.#ended.resolve();
    for (const id of this.#pending.keys()) this.#take(id)?.reject(error);
  }
}

function sizeOf(write: Write | undefined): number {
  return write?.type === 'put' ? write.value.length : 0;
}

function revive({ reason, message }: Failure): Error {
  return reason === 'Internal' ? new Error(message) : new StatusError(reason, message);
}
