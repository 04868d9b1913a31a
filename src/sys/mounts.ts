import { closeSync, openSync } from 'node:fs';

import { SystemError, hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';
import { mountsBelow, readMounts } from './mount-info.ts';

/** Flags of mount(2) and mount_setattr(2); the numbers are the kernel's (include/uapi/linux/mount.h). */
const flags = {
  readOnly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  remount: 0x20,
  noatime: 0x400,
  nodiratime: 0x800,
  bind: 0x1000,
  recursive: 0x4000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  relatime: 0x200000,
  strictatime: 0x1000000,
} as const;

const flagOfOption: Readonly<Record<string, number>> = {
  ro: flags.readOnly,
  nosuid: flags.nosuid,
  nodev: flags.nodev,
  noexec: flags.noexec,
  noatime: flags.noatime,
  nodiratime: flags.nodiratime,
  relatime: flags.relatime,
};

export type Propagation = 'private' | 'slave' | 'shared' | 'unbindable';

const detach = 2;
const noFollow = 8;
const atCwd = -100;
const atRecursive = 0x8000;
const mountSetattrNumber = 442;
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

/** mount(2). `options` is the filesystem's own comma-separated text; `flagOptions` those of `ro`, `nosuid`, `nodev`, ... */
function mountFilesystem(mount: {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options?: string;
  readonly flagOptions?: readonly string[];
}): void {
  const bits = (mount.flagOptions ?? []).reduce((sum, option) => sum | (flagOfOption[option] ?? 0), 0);
  mountCall(mount.target, mount.source, mount.target, mount.type, bits, mount.options ?? '');
}

/** Options that mount(2) takes as flags rather than as text: `ro`, `nosuid`, `nodev`, `noexec`, ... */
export function isFlagOption(option: string): boolean {
  return flagOfOption[option] !== undefined;
}

export function bindMount(source: string, target: string, options: { readonly recursive?: boolean } = {}): void {
  const bits = flags.bind | (options.recursive === true ? flags.recursive : 0);
  mountCall(`${source} on ${target}`, source, target, null, bits, null);
}

export function mountTmpfs(target: string, options = '', flagOptions: readonly string[] = ['nosuid', 'nodev']): void {
  mountFilesystem({ type: 'tmpfs', source: 'tmpfs', target, options, flagOptions });
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
  mountCall(target, null, target, null, flags[propagation] | (recursive ? flags.recursive : 0), null);
}

/**
 * Makes a mount read-only, with all mounts below it when `recursive`; other flags stay. Recursive needs Linux 5.12
 * (mount_setattr), older kernels throw SystemError ENOSYS.
 */
export function makeReadOnly(target: string, recursive: boolean): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(BigInt(flags.readOnly), 0);
  const size = attributes.length;
  try {
    mountSetattr(target, mountSetattrNumber, atCwd, target, recursive ? atRecursive : 0, attributes, size);
  } catch (error) {
    if (recursive || !hasCode(error, 'ENOSYS')) throw error;
    const now = readMounts().findLast(({ mountPoint }) => mountPoint === target)?.options ?? [];
    const kept = now.reduce<number>((sum, option) => sum | (flagOfOption[option] ?? 0), flags.readOnly);
    mountCall(target, null, target, null, flags.bind | flags.remount | kept, null);
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
