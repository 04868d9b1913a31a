import { closeSync, constants, openSync, readSync } from 'node:fs';

import { hasCode } from '#sys/errno.ts';
import { fsPath } from '#sys/file-path.ts';
import { openInRoot, openPath } from '#sys/rooted.ts';

import type { UserDatabase } from './spec/user.ts';

/** Larger databases are cut: a container's user is nobody's megabytes. */
const maxDatabaseBytes = 1_048_576;

/** Reads a root filesystem's /etc/passwd and /etc/group without leaving it, whatever links are in there. */
export function readUserDatabase(root: string): UserDatabase {
  return { passwd: readInRoot(root, '/etc/passwd'), group: readInRoot(root, '/etc/group') };
}

/** The text of a regular file inside a root, '' when it is missing or something else. */
function readInRoot(root: string, path: string): string {
  try {
    using found = openInRoot(root, path, openPath);
    const fd = openSync(fsPath(found.path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(maxDatabaseBytes);
      return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ESPIPE', 'ENXIO', 'EINVAL')) return '';
    throw error;
  }
}
