import { closeSync, constants, mkdirSync, openSync } from 'node:fs';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';
import { cPath, fsPath } from './file-path.ts';

const openat2Number = 437;
const resolveNoMagicLinks = 0x02;
const resolveBeneath = 0x08;
const resolveInRoot = 0x10;
/** The kernel gives up with EAGAIN when a folder on the way was renamed meanwhile. */
const maxAttempts = 64;

const openat2 = systemCall('long syscall(long number, int folder, const char *path, void *how, size_t sizeBytes)');

/** O_PATH and O_CLOEXEC of the kernel; Node has no constants for them. */
export const openPath = 0x20_0000;
const closeOnExec = 0x8_0000;

/** A file opened below a root, whose path for other calls is `/proc/self/fd/<fd>`; disposing closes it. */
export interface RootedFile extends Disposable {
  readonly fd: number;
  /** Names the opened file itself, wherever it is moved meanwhile. */
  readonly path: string;
}

/**
 * Opens `path` as a process would whose root is `root`: `..`, absolute paths and symbolic links stay inside, even when
 * somebody renames folders meanwhile (openat2(2), Linux 5.6). `flags` are those of open(2); the default names the file
 * only (O_PATH) and follows a last symbolic link; add O_NOFOLLOW to get the link itself.
 */
export function openInRoot(root: string, path: string, flags = openPath, mode = 0): RootedFile {
  return openResolved(root, path === '' ? '.' : path, flags, mode, resolveInRoot);
}

/** Like `openInRoot`, but throws EXDEV when the path or a link on the way leaves `root`. */
export function openBeneath(root: string, path: string, flags = openPath, mode = 0): RootedFile {
  return openResolved(root, path === '' ? '.' : path, flags, mode, resolveBeneath);
}

/** Makes a folder and those above it inside `root`; what exists stays as it is. Throws ENOTDIR when a file is in the way. */
export function makeFoldersInRoot(root: string, path: string, mode = 0o755): void {
  let soFar = '';
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    using parent = openInRoot(root, soFar, openPath | constants.O_DIRECTORY);
    soFar += `/${name}`;
    if (name === '..') continue;
    try {
      mkdirSync(fsPath(`${parent.path}/${name}`), { mode });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
  using _ = openInRoot(root, soFar, openPath | constants.O_DIRECTORY);
}

/** Whether there is something at `path` inside `root`; a last symbolic link counts as itself. */
export function existsInRoot(root: string, path: string): boolean {
  try {
    using _ = openInRoot(root, path, openPath | constants.O_NOFOLLOW);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
}

function openResolved(root: string, path: string, flags: number, mode: number, resolve: number): RootedFile {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | closeOnExec), 0);
  how.writeBigUInt64LE(BigInt((flags & constants.O_CREAT) === 0 ? 0 : mode), 8);
  how.writeBigUInt64LE(BigInt(resolve | resolveNoMagicLinks), 16);
  const folder = openSync(root, openPath | constants.O_DIRECTORY);
  try {
    const fd = openAgain(`${root} ${path}`, folder, path, how);
    return { fd, path: `/proc/self/fd/${String(fd)}`, [Symbol.dispose]: () => closeSync(fd) };
  } finally {
    closeSync(folder);
  }
}

function openAgain(subject: string, folder: number, path: string, how: Buffer): number {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return openat2(subject, openat2Number, folder, cPath(path), how, how.length);
    } catch (error) {
      if (!hasCode(error, 'EAGAIN') || attempt === maxAttempts) throw error;
    }
  }
}
