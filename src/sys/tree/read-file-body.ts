import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';

import { fsPath } from '../file-path.ts';

const chunkBytes = 262_144;
/** Up to here a file is read at once on this thread: asking another thread would take longer. */
const smallBytes = 65_536;

const readAsync = promisify(read) as unknown as (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;

/**
 * Exactly `sizeBytes` bytes of a regular file from `start` on; one that has become shorter meanwhile is filled with
 * zeros, as an archive that has begun must go on. Never follows a last link, and never waits for a FIFO.
 */
export async function* readFileBody(
  at: string,
  sizeBytes: number,
  start = 0,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fd = openSync(fsPath(at), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const readable = fstatSync(fd).isFile();
    for (let done = 0; done < sizeBytes;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - done));
      const bytesRead = !readable
        ? 0
        : sizeBytes <= smallBytes
          ? readSync(fd, buffer, 0, buffer.length, start + done)
          : (await readAsync(fd, buffer, 0, buffer.length, start + done)).bytesRead;
      const bytes = bytesRead === 0 ? buffer.fill(0) : buffer.subarray(0, bytesRead);
      yield bytes;
      done += bytes.length;
    }
  } finally {
    closeSync(fd);
  }
}
