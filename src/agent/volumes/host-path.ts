import { closeSync, lstatSync, mkdirSync, openSync, statSync, type Stats } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

type Check = readonly [is: (stat: Stats) => boolean, noun: string];

const isFolder: Check = [(stat) => stat.isDirectory(), 'a directory'];
const isFile: Check = [(stat) => stat.isFile(), 'a file'];
const checks: Readonly<Record<string, Check>> = {
  Directory: isFolder,
  DirectoryOrCreate: isFolder,
  File: isFile,
  FileOrCreate: isFile,
  Socket: [(stat) => stat.isSocket(), 'a socket file'],
  CharDevice: [(stat) => stat.isCharacterDevice(), 'a character device'],
  BlockDevice: [(stat) => stat.isBlockDevice(), 'a block device'],
};

/**
 * Sees to it that a path of the host is what a pod wants there, and makes it where that is said; without a type a missing
 * path becomes a folder, as runtimes make what they are to mount. Throws InvalidArgument in upstream's words.
 */
export function prepareHostPath(path: string, type: string): void {
  if (type === '') {
    if (!isThere(path)) mkdirSync(path, { recursive: true, mode: 0o755 });
    return;
  }
  const check = checks[type];
  if (check === undefined) throw new StatusError('InvalidArgument', `${type} is an invalid volume type`);
  if (type === 'DirectoryOrCreate' && !isThere(path)) mkdirSync(path, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate' && !isThere(path)) closeSync(openSync(path, 'a', 0o644));
  const [is, noun] = check;
  if (!isThere(path) || !is(statSync(path)))
    throw new StatusError('InvalidArgument', `hostPath type check failed: ${path} is not ${noun}`);
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
