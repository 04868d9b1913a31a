import { after } from '#base/clock.ts';
import { type Reason, StatusError } from '#base/errors.ts';
import { startThread } from '#base/thread.ts';

import type { Piece, Pieces } from './pieces.ts';
import type { UnpackedArchive } from './unpack-archive.ts';

/** What a thread is given before the pieces of an archive. */
export interface ThreadTask {
  readonly folder: string;
  readonly lowers: readonly string[];
}

/** `end` stands after the last piece of an archive. */
export type ThreadOrder = ThreadTask | Piece | 'end';

/** `used`: a piece whose memory is not needed any more. */
export type ThreadReply =
  | { readonly used: Piece }
  | { readonly unpacked: UnpackedArchive }
  | { readonly failed: ThreadFailure };

export interface ThreadFailure {
  readonly reason: Reason;
  readonly message: string;
  /** The disk had no room, which the caller has to know to make some. */
  readonly isFull: boolean;
}

/** Pieces of an archive that wait for a thread at most. */
export const chunksInFlight = 4;
/** A thread without work ends after so long: it takes some megabytes. */
const idleMs = 5000;

/**
 * Threads that unpack archives: making thousands of files waits for the disk again and again, and the main thread has
 * others to serve meanwhile. One that is done waits a while for the next archive, since starting takes longer than
 * unpacking most layers.
 */
export class UnpackThreads implements AsyncDisposable {
  readonly #idle: { readonly thread: UnpackThread; readonly end: Disposable }[] = [];

  /** As `unpackArchive`. When it returns or throws, nothing writes to the folder any more. */
  async unpack(task: ThreadTask, tar: Pieces): Promise<UnpackedArchive> {
    const thread = this.#take();
    try {
      const unpacked = await thread.unpack(task, tar);
      this.#keep(thread);
      return unpacked;
    } catch (error) {
      await thread.terminate();
      throw error;
    }
  }

  /** Ends the threads that wait for work. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { thread, end } of this.#idle.splice(0)) {
      end[Symbol.dispose]();
      await thread.terminate();
    }
  }

  #take(): UnpackThread {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      kept.end[Symbol.dispose]();
      if (!kept.thread.isEnded) return kept.thread;
    }
    return new UnpackThread();
  }

  #keep(thread: UnpackThread): void {
    const end = after(idleMs, () => {
      const index = this.#idle.findIndex((one) => one.thread === thread);
      if (index >= 0) this.#idle.splice(index, 1);
      void thread.terminate();
    });
    this.#idle.push({ thread, end });
  }
}

/** One thread, which unpacks one archive at a time; after a failure it is to be ended. */
class UnpackThread {
  readonly #worker = startThread(new URL('./unpack-thread.ts', import.meta.url));
  #outcome = Promise.withResolvers<UnpackedArchive>();
  #tar: Pieces | undefined;
  #inFlight = 0;
  #wake = (): void => {};
  isEnded = false;

  constructor() {
    this.#worker.on('message', (reply: ThreadReply) => this.#hear(reply));
    this.#worker.on('error', (error) => this.#outcome.reject(error));
    this.#worker.on('exit', () => {
      this.isEnded = true;
      this.#outcome.reject(new Error('the thread that unpacks ended before its work'));
    });
    this.#outcome.promise.catch(() => {});
  }

  async unpack(task: ThreadTask, tar: Pieces): Promise<UnpackedArchive> {
    this.#tar = tar;
    this.#outcome = Promise.withResolvers();
    const outcome = this.#outcome.promise;
    outcome.catch(() => {});
    this.#inFlight = 0;
    this.#worker.ref();
    this.#order(task);
    for await (const piece of tar) {
      this.#order(piece, [piece.buffer]);
      await Promise.race([this.#room(), outcome]);
    }
    this.#order('end');
    const unpacked = await outcome;
    // It keeps no process alive while it waits.
    this.#worker.unref();
    return unpacked;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #order(message: ThreadOrder, moved: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, moved);
  }

  #hear(reply: ThreadReply): void {
    if ('used' in reply) {
      this.#tar?.giveBack(reply.used);
      this.#inFlight -= 1;
      this.#wake();
    } else if ('unpacked' in reply) this.#outcome.resolve(reply.unpacked);
    else this.#outcome.reject(revive(reply.failed));
  }

  /** Resolves when another piece may be sent; it counts the one that was sent just before. */
  async #room(): Promise<void> {
    this.#inFlight += 1;
    if (this.#inFlight < chunksInFlight) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

function revive({ reason, message, isFull }: ThreadFailure): Error {
  return reason === 'Internal'
    ? new Error(message)
    : new StatusError(
        reason,
        message,
        isFull ? { cause: Object.assign(new Error('the disk is full'), { code: 'ENOSPC' }) } : {},
      );
}
