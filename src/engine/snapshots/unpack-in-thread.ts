import { Worker } from 'node:worker_threads';

import { type Reason, StatusError } from '#base/errors.ts';

import type { UnpackedArchive } from './unpack-archive.ts';

/** What the thread is started with. */
export interface ThreadTask {
  readonly folder: string;
  readonly lowers: readonly string[];
}

export type ThreadReply = 'taken' | { readonly unpacked: UnpackedArchive } | { readonly failed: ThreadFailure };

export interface ThreadFailure {
  readonly reason: Reason;
  readonly message: string;
  /** The disk had no room, which the caller has to know to make some. */
  readonly isFull: boolean;
}

/** The message after the last piece. */
export const endOfArchive = 'end';

/** Pieces of the archive that wait for the thread at most. */
export const chunksInFlight = 4;

/**
 * `unpackArchive` on a thread of its own: making thousands of files waits for the disk again and again, and this thread
 * has others to serve meanwhile. When it returns or throws, nothing writes to the folder any more.
 */
export async function unpackInThread(task: ThreadTask, tar: AsyncIterable<Uint8Array>): Promise<UnpackedArchive> {
  const worker = new Worker(new URL('./unpack-thread.ts', import.meta.url), { workerData: task });
  try {
    const { outcome, room } = listen(worker);
    for await (const chunk of tar) {
      const copy = Uint8Array.from(chunk);
      worker.postMessage(copy, [copy.buffer]);
      await Promise.race([room(), outcome]);
    }
    worker.postMessage(endOfArchive, []);
    return await outcome;
  } finally {
    await worker.terminate();
  }
}

/** `room` resolves when another piece may be sent; it counts the one that was sent just before. */
function listen(worker: Worker): { outcome: Promise<UnpackedArchive>; room: () => Promise<void> } {
  const { promise: outcome, resolve, reject } = Promise.withResolvers<UnpackedArchive>();
  outcome.catch(() => {});
  const sent = { inFlight: 0, wake: (): void => {} };
  worker.on('message', (reply: ThreadReply) => {
    if (reply === 'taken') {
      sent.inFlight -= 1;
      sent.wake();
    } else if ('unpacked' in reply) resolve(reply.unpacked);
    else reject(revive(reply.failed));
  });
  worker.on('error', reject);
  worker.on('exit', () => reject(new Error('the thread that unpacks ended before its work')));
  const room = async (): Promise<void> => {
    sent.inFlight += 1;
    if (sent.inFlight < chunksInFlight) return;
    await new Promise<void>((resolveRoom) => {
      sent.wake = resolveRoom;
    });
  };
  return { outcome, room };
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
