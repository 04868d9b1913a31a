import { parentPort } from 'node:worker_threads';

import { required } from '#base/assert.ts';
import { Channel } from '#base/channel.ts';
import { reasonOf } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import type { Piece } from './pieces.ts';
import { unpackArchive } from './unpack-archive.ts';
import { chunksInFlight, type ThreadOrder, type ThreadReply, type ThreadTask } from './unpack-threads.ts';

// The main of a thread: it unpacks archives one after the other, whose pieces come as messages.
const port = required(parentPort, 'the port to the main thread');
const reply = (message: ThreadReply, moved: readonly ArrayBuffer[] = []): void => port.postMessage(message, moved);
serve();

function serve(): void {
  let pieces = new Channel<Piece>(chunksInFlight + 1);
  port.on('message', (order: ThreadOrder) => {
    if (order === 'end') pieces.close();
    else if (order instanceof Uint8Array) pieces.push(order);
    else {
      pieces = new Channel(chunksInFlight + 1);
      void unpack(order, pieces);
    }
  });
}

/** Whoever hears of a failure ends this thread. */
async function unpack(task: ThreadTask, pieces: Channel<Piece>): Promise<void> {
  try {
    reply({ unpacked: await unpackArchive(task.folder, task.lowers, taken(pieces)) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isFull = hasCode(error instanceof Error ? error.cause : error, 'ENOSPC', 'EDQUOT');
    reply({ failed: { reason: reasonOf(error), message, isFull } });
  }
}

/** The memory of each goes back when the next is asked for. */
async function* taken(pieces: Channel<Piece>): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    yield piece;
    reply({ used: piece }, [piece.buffer]);
  }
}
