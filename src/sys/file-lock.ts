import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';

const flock = systemCall('int flock(int fd, int operation)');
const lockExclusive = 2;
const lockNonBlocking = 4;

export interface FileLock extends Disposable {
  readonly path: string;
}

/**
 * Takes the exclusive lock on a file (flock(2)) for this process, and writes its process ID into it; the kernel gives
 * it back when the process ends, however it ends. Returns the ID of the holder, as it wrote it, when another has it
 * (0 when it did not yet). The file stays: removing it would let two processes lock two files of one name.
 */
export function lockFile(path: string): FileLock | { readonly holderPid: number } {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    flock(path, descriptor, lockExclusive | lockNonBlocking);
  } catch (error) {
    closeSync(descriptor);
    if (!hasCode(error, 'EAGAIN', 'EWOULDBLOCK')) throw error;
    return { holderPid: Number.parseInt(readFileSync(path, 'utf8'), 10) || 0 };
  }
  ftruncateSync(descriptor, 0);
  writeSync(descriptor, `${String(process.pid)}\n`, 0);
  return { path, [Symbol.dispose]: () => closeSync(descriptor) };
}
