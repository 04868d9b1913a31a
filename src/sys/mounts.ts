import { closeSync, openSync } from 'node:fs';

import { SystemError, hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';
import { mountsBelow, readMounts } from './mount-info.ts';
import { mountFlags, parseMountOptions } from './mount-options.ts';

export type Propagation = 'private' | 'slave' | 'shared' | 'unbindable';

const detach = 2;
const noFollow = 8;
const atCwd = -100;
const atRecursive = 0x8000;
const atEmptyPath = 0x1000;
const mountSetattrNumber = 442;
const openTreeNumber = 428;
const moveMountNumber = 429;
const openTreeClone = 1;
const openTreeCloseOnExec = 0x80000;
const moveFromDescriptor = 4;
const mapOwners = 0x10_0000n;
/** mount(2) copies one page of options. */
const maxDataBytes = 4095;

const mountCall = systemCall(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umountCall = systemCall('int umount2(const char *target, int flags)');
const chdirCall = systemCall('int chdir(const char *path)');
const fchdirCall = systemCall('int fchdir(int fd)');
const mountSetattr = systemCall(
  'long syscall(long number, int folder, const char *path, unsigned int flags, void *attributes, size_t size)',
);

const openTree = systemCall('long syscall(long number, int folder, const char *path, unsigned int flags)');
const moveMount = systemCall(
  'long syscall(long number, int from, const char *fromPath, int to, const char *toPath, unsigned int flags)',
);

/** mount(2) with options as mount(8) takes them, binds among them. Waits as long as the filesystem does. */
export function mountFilesystem(type: string, source: string, target: string, words: readonly string[]): void {
  const { flags, data } = parseMountOptions(words);
  mountCall(target, source, target, type, flags, data);
  const attributes = flags & ~(mountFlags.bind | mountFlags.recursive);
  // A bind takes its attributes only afterwards.
  if ((flags & mountFlags.bind) !== 0 && attributes !== 0)
    mountCall(target, null, target, null, mountFlags.bind | mountFlags.remount | attributes, null);
}

export function bindMount(source: string, target: string, options: { readonly recursive?: boolean } = {}): void {
  const bits = mountFlags.bind | (options.recursive === true ? mountFlags.recursive : 0);
  mountCall(`${source} on ${target}`, source, target, null, bits, null);
}

/**
 * A bind of this one mount at which the owners of files are those that the user namespace maps the ones on the disk to
 * (mount_setattr(2), MOUNT_ATTR_IDMAP). Throws SystemError EINVAL for a filesystem that cannot, ENOSYS before Linux 5.12.
 */
export function bindMapped(source: string, target: string, userNamespace: number): void {
  const tree = openTree(source, openTreeNumber, atCwd, source, openTreeClone | openTreeCloseOnExec);
  try {
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(mapOwners, 0);
    attributes.writeBigUInt64LE(BigInt(userNamespace), 24);
    mountSetattr(source, mountSetattrNumber, tree, '', atEmptyPath, attributes, attributes.length);
    moveMount(`${source} on ${target}`, moveMountNumber, tree, '', atCwd, target, moveFromDescriptor);
  } finally {
    closeSync(tree);
  }
}

export function mountTmpfs(target: string, options = '', flagOptions: readonly string[] = ['nosuid', 'nodev']): void {
  mountFilesystem('tmpfs', 'tmpfs', target, [...flagOptions, ...options.split(',')]);
}

/** An overlay: lower folders from top to bottom; without `upper` and `work` it is read-only. */
export interface OverlayMount {
  readonly target: string;
  readonly lowers: readonly string[];
  readonly upper?: string;
  readonly work?: string;
  /** Folder that relative `lowers` start from, so that many fit into the one page of options that mount(2) takes. */
  readonly folder: string;
  /** Further options, such as `redirect_dir=off`. */
  readonly options?: readonly string[];
}

/**
 * Mounts an overlay. Synchronous: the process stands in `folder` for the moment, which nothing else sees since all
 * other code uses absolute paths. Throws SystemError E2BIG when the options do not fit.
 */
export function mountOverlay(overlay: OverlayMount): void {
  const data = [
    ...(overlay.options ?? []),
    `lowerdir=${overlay.lowers.map(escapeLower).join(':')}`,
    ...(overlay.upper === undefined ? [] : [`upperdir=${escape(overlay.upper)}`]),
    ...(overlay.work === undefined ? [] : [`workdir=${escape(overlay.work)}`]),
  ].join(',');
  if (Buffer.byteLength(data) > maxDataBytes) throw new SystemError('mount', 7, overlay.target);
  const before = openSync('.', 'r');
  try {
    chdirCall(overlay.folder, overlay.folder);
    mountCall(overlay.target, 'overlay', overlay.target, 'overlay', 0, data);
  } finally {
    fchdirCall('.', before);
    closeSync(before);
  }
}

export function setPropagation(target: string, propagation: Propagation, recursive: boolean): void {
  mountCall(target, null, target, null, mountFlags[propagation] | (recursive ? mountFlags.recursive : 0), null);
}

/**
 * Makes a mount read-only, with all mounts below it when `recursive`; other flags stay. Recursive needs Linux 5.12
 * (mount_setattr), older kernels throw SystemError ENOSYS.
 */
export function makeReadOnly(target: string, recursive: boolean): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(BigInt(mountFlags.readOnly), 0);
  const size = attributes.length;
  try {
    mountSetattr(target, mountSetattrNumber, atCwd, target, recursive ? atRecursive : 0, attributes, size);
  } catch (error) {
    if (recursive || !hasCode(error, 'ENOSYS')) throw error;
    const now = readMounts().findLast(({ mountPoint }) => mountPoint === target)?.options ?? [];
    const kept = parseMountOptions(now).flags | mountFlags.readOnly;
    mountCall(target, null, target, null, mountFlags.bind | mountFlags.remount | kept, null);
  }
}

/** Unmounts what is mounted last at `target`; returns false when nothing is. Lazily: it vanishes now, is freed when unused. */
export function unmount(target: string, options: { readonly lazy?: boolean } = {}): boolean {
  try {
    umountCall(target, target, noFollow | (options.lazy === true ? detach : 0));
    return true;
  } catch (error) {
    if (hasCode(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Unmounts, lazily when it is busy; false when nothing was mounted. */
export function unmountSurely(target: string): boolean {
  try {
    return unmount(target);
  } catch (error) {
    if (!hasCode(error, 'EBUSY')) throw error;
    return unmount(target, { lazy: true });
  }
}

/** Unmounts everything at and below a path, lazily; for clean-up. */
export function unmountTree(path: string): void {
  for (const { mountPoint } of mountsBelow(path)) unmount(mountPoint, { lazy: true });
}

function escape(path: string): string {
  return path.replace(/[\\,]/g, '\\$&');
}

function escapeLower(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}
