import { after } from '#base/clock.ts';
import { type Reason, StatusError } from '#base/errors.ts';
import { startThread } from '#base/thread.ts';

import type { ArchiveFile, OnRead } from '../stream/archive-file.ts';
import type { UnpackedArchive, UnpackPlace } from './unpack-archive.ts';

/** What a thread is given: an archive's file, and where it goes. */
export interface ThreadTask extends UnpackPlace {
  readonly path: string;
}

/** `read`: how far it is. */
export type ThreadReply =
  | { readonly read: { readonly fileBytes: number; readonly archiveBytes: number } }
  | { readonly unpacked: UnpackedArchive }
  | { readonly failed: ThreadFailure };

export interface ThreadFailure {
  readonly reason: Reason;
  readonly message: string;
  /** The disk had no room, which the caller has to know to make some. */
  readonly isFull: boolean;
}

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
  async unpack(place: UnpackPlace, { path, onRead }: ArchiveFile, signal: AbortSignal): Promise<UnpackedArchive> {
    signal.throwIfAborted();
    const thread = this.#take();
    try {
      const unpacked = await thread.unpack({ ...place, path }, onRead, signal);
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
  #onRead: OnRead = () => {};
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

  async unpack(task: ThreadTask, onRead: OnRead, signal: AbortSignal): Promise<UnpackedArchive> {
    this.#outcome = Promise.withResolvers();
    this.#onRead = onRead;
    const abort = (): void => this.#outcome.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#worker.ref();
    this.#worker.postMessage(task, []);
    try {
      const unpacked = await this.#outcome.promise;
      // It keeps no process alive while it waits.
      this.#worker.unref();
      return unpacked;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #hear(reply: ThreadReply): void {
    if ('read' in reply) this.#onRead(reply.read.fileBytes, reply.read.archiveBytes);
    else if ('unpacked' in reply) this.#outcome.resolve(reply.unpacked);
    else this.#outcome.reject(revive(reply.failed));
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
