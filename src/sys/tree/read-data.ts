import { closeSync, constants, openSync, readSync } from 'node:fs';

import { fsPath } from '../file-path.ts';
import { nextData } from '../files.ts';

const chunkBytes = 1_048_576;

/**
 * The bytes of a regular file where it has some, holes left out. The pieces share one buffer: each is valid until the
 * next is asked for. Never follows a last link, and never waits for a FIFO.
 */
export function* readData(
  at: string,
): Generator<{ readonly bytes: Uint8Array; readonly offset: number }, void, undefined> {
  const fd = openSync(fsPath(at), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let data = nextData(fd, 0); data !== undefined; data = nextData(fd, data.end)) {
      for (let offset = data.start; offset < data.end;) {
        const length = readSync(fd, buffer, 0, Math.min(chunkBytes, data.end - offset), offset);
        if (length === 0) return;
        yield { bytes: buffer.subarray(0, length), offset };
        offset += length;
      }
    }
  } finally {
    closeSync(fd);
  }
}
