import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';
import { bindMount, unmount } from './mounts.ts';

/** Flags of clone(2) by the kind of namespace, as /proc/PID/ns names it. */
const flags = { net: 0x40000000, ipc: 0x08000000 } as const;

export type NamespaceKind = keyof typeof flags;

const unshare = systemCall('int unshare(int flags)');
const setns = systemCall('int setns(int fd, int type)');

/**
 * Makes a namespace and pins it at `path` by a bind mount, as `ip netns` does. With `made` it pins that one, which is pinned
 * elsewhere. Throws SystemError EEXIST when there is something at `path`.
 */
export function pinNamespace(kind: NamespaceKind, path: string, made?: string): void {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, 'wx', 0o444));
  try {
    if (made !== undefined) bindMount(made, path);
    else
      andBack(kind, () => {
        unshare(path, flags[kind]);
        bindMount(own(kind), path);
      });
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
}

/** Unpins a namespace (idempotent); it lives on while processes or sockets are in it. */
export function unpinNamespace(path: string): void {
  while (unmount(path, { lazy: true }));
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/**
 * Runs `work` with this thread in the namespace pinned at `path`. Synchronous on purpose: an await inside would let foreign
 * code run in there.
 */
export function inNamespace<T>(
  kind: NamespaceKind,
  path: string,
  work: () => T extends Promise<unknown> ? never : T,
): T {
  return andBack(kind, () => {
    const target = openSync(path, 'r');
    try {
      setns(path, target, flags[kind]);
    } finally {
      closeSync(target);
    }
    return work();
  });
}

/** Runs `work` in a new namespace that ends with it; like `inNamespace`, synchronous on purpose. */
export function inNewNamespace<T>(kind: NamespaceKind, work: () => T extends Promise<unknown> ? never : T): T {
  return andBack(kind, () => {
    unshare(`new ${kind} namespace`, flags[kind]);
    return work();
  });
}

/** Whether a namespace is pinned at `path`: a plain file that a crash left there is not one. */
export function isPinned(kind: NamespaceKind, path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    return andBack(kind, () => setns(path, fd, flags[kind]) === 0);
  } catch (error) {
    if (hasCode(error, 'EINVAL')) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}

function own(kind: NamespaceKind): string {
  return `/proc/thread-self/ns/${kind}`;
}

/** The thread must never go on in a foreign namespace: when the way back fails, the process ends. */
function andBack<T>(kind: NamespaceKind, work: () => T): T {
  const home = openSync(own(kind), 'r');
  try {
    return work();
  } finally {
    try {
      setns(own(kind), home, flags[kind]);
    } catch {
      process.abort();
    }
    closeSync(home);
  }
}
