import { chmodSync, closeSync, constants, openSync } from 'node:fs';

import { hasCode } from './errno.ts';
import { asyncSystemCall, systemCall } from './ffi.ts';
import { cPath, fsPath } from './file-path.ts';
import { openPath } from './rooted.ts';

const atCwd = -100;
const symlinkNoFollow = 0x100;
const renameNoReplace = 1;
const renameExchange = 2;
const seekData = 3;
const seekHole = 4;

const mknodCall = systemCall('int mknod(const char *path, uint32_t mode, uint64_t device)');
const utimensatCall = systemCall('int utimensat(int folder, const char *path, const void *times, int flags)');
const futimensCall = systemCall('int futimens(int fd, const void *times)');
const lseekCall = systemCall('long lseek(int fd, long offset, int whence)');
const renameat2Call = systemCall(
  'int renameat2(int oldFolder, const char *oldPath, int newFolder, const char *newPath, unsigned int flags)',
);
const syncfsCall = asyncSystemCall('int syncfs(int fd)');

export type NodeType = 'character' | 'block' | 'fifo';

const typeBits: Readonly<Record<NodeType, number>> = { character: 0o020000, block: 0o060000, fifo: 0o010000 };

/** mknod(2). The mode is subject to the umask. */
export function makeNode(path: string, type: NodeType, mode: number, major = 0, minor = 0): void {
  mknodCall(path, cPath(path), typeBits[type] | (mode & 0o7777), deviceNumber(major, minor));
}

/** An overlay's whiteout: a character device 0:0 (kernel, overlayfs.rst). */
export function makeWhiteout(path: string): void {
  makeNode(path, 'character', 0);
}

/** The kernel's 64-bit encoding (glibc's gnu_dev_makedev). */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

export function deviceParts(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)),
    minor: Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn)),
  };
}

/** Sets the times of a file, or of a link itself, exact to the nanosecond (since the epoch, may be negative). */
export function setTimes(path: string, accessNs: bigint, modifiedNs: bigint): void {
  const times = Buffer.allocUnsafe(32);
  putTime(times, 0, accessNs);
  putTime(times, 16, modifiedNs);
  utimensatCall(path, atCwd, cPath(path), times, symlinkNoFollow);
}

/** Like `setTimes`, for an open file. */
export function setOpenTimes(fd: number, accessNs: bigint, modifiedNs: bigint): void {
  const times = Buffer.allocUnsafe(32);
  putTime(times, 0, accessNs);
  putTime(times, 16, modifiedNs);
  futimensCall(String(fd), fd, times);
}

/**
 * Where an open file has data, from `start` on: the next piece that is not a hole, undefined when only a hole is left
 * (lseek(2), SEEK_DATA and SEEK_HOLE).
 */
export function nextData(fd: number, start: number): { readonly start: number; readonly end: number } | undefined {
  try {
    const data = lseekCall(String(fd), fd, start, seekData);
    return { start: data, end: lseekCall(String(fd), fd, data, seekHole) };
  } catch (error) {
    if (hasCode(error, 'ENXIO')) return undefined;
    throw error;
  }
}

/** chmod(2) that never follows a symbolic link: throws ELOOP or EOPNOTSUPP when `path` is one. */
export function changeMode(path: string, mode: number): void {
  const fd = openSync(fsPath(path), openPath | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${String(fd)}`, mode);
  } finally {
    closeSync(fd);
  }
}

/** rename(2) that throws EEXIST when there is something at `to`. */
export function renameNew(from: string, to: string): void {
  renameat2Call(`${from} to ${to}`, atCwd, cPath(from), atCwd, cPath(to), renameNoReplace);
}

/** Two names change places at once. */
export function exchange(one: string, other: string): void {
  renameat2Call(`${one} and ${other}`, atCwd, cPath(one), atCwd, cPath(other), renameExchange);
}

/**
 * Writes everything that was changed on the filesystem of `path` to the disk: one wait for a whole tree of new files,
 * where an fsync each would take a thousand.
 */
export async function syncFilesystem(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    await syncfsCall(path, fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether a thrown value says that there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENOTDIR');
}

function putTime(buffer: Buffer, offset: number, timeNs: bigint): void {
  const rest = ((timeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  buffer.writeBigInt64LE((timeNs - rest) / 1_000_000_000n, offset);
  buffer.writeBigInt64LE(rest, offset + 8);
}
