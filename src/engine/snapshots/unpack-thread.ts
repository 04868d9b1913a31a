import { parentPort } from 'node:worker_threads';

import { required } from '#base/assert.ts';
import { reasonOf } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import { ArchiveFile } from '../stream/archive-file.ts';
import { unpackArchive } from './unpack-archive.ts';
import type { ThreadReply, ThreadTask } from './unpack-threads.ts';

/** Bytes of the file between two reports. */
const reportBytes = 524_288;
/** Who gives an archive up ends the thread. */
const never = new AbortController().signal;

// The main of a thread: it unpacks archives one after the other.
const port = required(parentPort, 'the port to the main thread');
const reply = (message: ThreadReply): void => port.postMessage(message);
port.on('message', (task: ThreadTask) => void unpack(task));

/** Whoever hears of a failure ends this thread. */
async function unpack({ path, ...place }: ThreadTask): Promise<void> {
  let read = { fileBytes: 0, archiveBytes: 0 };
  let reported = 0;
  const tar = new ArchiveFile(path, (fileBytes, archiveBytes) => {
    read = { fileBytes, archiveBytes };
    if (fileBytes - reported < reportBytes) return;
    reported = fileBytes;
    reply({ read });
  });
  try {
    const unpacked = await unpackArchive(place, tar, never);
    reply({ read });
    reply({ unpacked });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isFull = hasCode(error instanceof Error ? error.cause : error, 'ENOSPC', 'EDQUOT');
    reply({ failed: { reason: reasonOf(error), message, isFull } });
  }
}
