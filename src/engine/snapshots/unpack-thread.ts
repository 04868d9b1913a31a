import { parentPort, workerData } from 'node:worker_threads';

import { required } from '#base/assert.ts';
import { Channel } from '#base/channel.ts';
import { reasonOf } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import { unpackArchive } from './unpack-archive.ts';
import { chunksInFlight, endOfArchive, type ThreadReply, type ThreadTask } from './unpack-in-thread.ts';

// The main of a thread: it unpacks one archive, whose pieces come as messages.
const port = required(parentPort, 'the port to the main thread');
const task = workerData as ThreadTask;
const chunks = new Channel<Uint8Array>(chunksInFlight + 1);
const reply = (message: ThreadReply): void => port.postMessage(message);

port.on('message', (chunk: Uint8Array | typeof endOfArchive) => {
  if (chunk === endOfArchive) chunks.close();
  else chunks.push(chunk);
});

try {
  reply({ unpacked: await unpackArchive(task.folder, task.lowers, taken()) });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const isFull = hasCode(error instanceof Error ? error.cause : error, 'ENOSPC', 'EDQUOT');
  reply({ failed: { reason: reasonOf(error), message, isFull } });
}
port.close();

async function* taken(): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    reply('taken');
  }
}
