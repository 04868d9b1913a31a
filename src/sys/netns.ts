import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';
import { bindMount, unmount } from './mounts.ts';

const newNetworkNamespace = 0x40000000;
const own = '/proc/thread-self/ns/net';

const unshare = systemCall('int unshare(int flags)');
const setns = systemCall('int setns(int fd, int type)');

/**
 * Makes a network namespace and pins it at `path` by a bind mount, as `ip netns` does. Its loopback is down. With `made` it
 * pins that one, which is pinned elsewhere. Throws
 * SystemError EEXIST when there is something at `path`.
 */
export function createNetns(path: string, made?: string): void {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, 'wx', 0o444));
  try {
    if (made !== undefined) bindMount(made, path);
    else
      andBack(() => {
        unshare(path, newNetworkNamespace);
        bindMount(own, path);
      });
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
}

/** Unpins a namespace (idempotent); it lives on while processes or sockets are in it. */
export function removeNetns(path: string): void {
  while (unmount(path, { lazy: true }));
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/**
 * Runs `work` with this thread in the network namespace pinned at `path`. Synchronous on purpose: an await inside would
 * let foreign code run in there. Sockets that `work` makes stay in the namespace.
 */
export function inNetns<T>(path: string, work: () => T extends Promise<unknown> ? never : T): T {
  return andBack(() => {
    const target = openSync(path, 'r');
    try {
      setns(path, target, newNetworkNamespace);
    } finally {
      closeSync(target);
    }
    return work();
  });
}

/** Runs `work` in a new network namespace that ends with it; like `inNetns`, synchronous on purpose. */
export function inNewNetns<T>(work: () => T extends Promise<unknown> ? never : T): T {
  return andBack(() => {
    unshare('new network namespace', newNetworkNamespace);
    return work();
  });
}

/** Whether a namespace is pinned at `path`: a plain file that a crash left there is not one. */
export function isNetns(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    return andBack(() => setns(path, fd, newNetworkNamespace) === 0);
  } catch (error) {
    if (hasCode(error, 'EINVAL')) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The thread must never go on in a foreign namespace: when the way back fails, the process ends. */
function andBack<T>(work: () => T): T {
  const home = openSync(own, 'r');
  try {
    return work();
  } finally {
    try {
      setns(own, home, newNetworkNamespace);
    } catch {
      process.abort();
    }
    closeSync(home);
  }
}
