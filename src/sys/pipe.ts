import { closeSync } from 'node:fs';

import { systemCall } from './ffi.ts';

const closeOnExec = 0o2000000;

const pipe2 = systemCall('int pipe2(void *ends, int flags)');

/** An anonymous pipe (pipe(7)): unlike the sockets that Node.js gives to children, it can be opened again by its name in /proc. */
export interface Pipe extends Disposable {
  readonly readFd: number;
  readonly writeFd: number;
  /** Closes one end; the other stays. */
  close(end: 'readFd' | 'writeFd'): void;
  /** From now on somebody else closes this end. */
  give(end: 'readFd' | 'writeFd'): number;
}

/** Opens a pipe whose ends close when this process executes another program; disposing closes what is still its own. */
export function openPipe(): Pipe {
  const ends = Buffer.alloc(8);
  pipe2('', ends, closeOnExec);
  const fds = { readFd: ends.readInt32LE(0), writeFd: ends.readInt32LE(4) };
  const own = new Set<'readFd' | 'writeFd'>(['readFd', 'writeFd']);
  const close = (end: 'readFd' | 'writeFd'): void => {
    if (own.delete(end)) closeSync(fds[end]);
  };
  return {
    ...fds,
    close,
    give: (end) => {
      own.delete(end);
      return fds[end];
    },
    [Symbol.dispose]: () => {
      close('readFd');
      close('writeFd');
    },
  };
}
