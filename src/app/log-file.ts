import { closeSync, copyFileSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import { isDiskFull } from '#base/errors.ts';

/** Above this the log is moved to `<path>.1`, which is replaced: at most twice as much is on the disk. */
const logBytesMost = 8 * 1024 * 1024;

export interface LogFile extends Disposable {
  readonly write: (line: string) => void;
}

/**
 * A log file of bounded size. It is emptied in place after a copy, not renamed, since the process's own stdout and
 * stderr may be open on it too (for appending), and must be bounded with it. While the disk is full lines are lost, which the
 * next one that is written says: a log must not end what it tells about.
 */
export function openLogFile(path: string, bytesMost = logBytesMost): LogFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const descriptor = openSync(path, 'a', 0o640);
  let writtenBytes = 0;
  let checkAtBytes = 0;
  let lostLines = 0;
  const write = (line: string): void => {
    writtenBytes += Buffer.byteLength(line);
    if (writtenBytes >= checkAtBytes) {
      writtenBytes = 0;
      checkAtBytes = roomLeft(descriptor, path, bytesMost);
    }
    writeSync(descriptor, lostLines === 0 ? line : `\n${String(lostLines)} lines lost: the disk was full\n${line}`);
    lostLines = 0;
  };
  return {
    write: (line) => {
      try {
        write(line);
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        lostLines += 1;
      }
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** Bytes that may be written before it is worth looking again; others append too, so half of what is left. */
function roomLeft(descriptor: number, path: string, bytesMost: number): number {
  const { size } = fstatSync(descriptor);
  if (size < bytesMost) return Math.ceil((bytesMost - size) / 2);
  copyFileSync(path, `${path}.1`);
  ftruncateSync(descriptor, 0);
  return Math.ceil(bytesMost / 2);
}
