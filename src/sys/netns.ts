import { inNamespace, inNewNamespace, isPinned, pinNamespace, unpinNamespace } from './pinned-namespace.ts';

/** Makes a network namespace, whose loopback is down, and pins it at `path`; see `pinNamespace`. */
export function createNetns(path: string, made?: string): void {
  pinNamespace('net', path, made);
}

/** Unpins a namespace (idempotent); it lives on while processes or sockets are in it. */
export function removeNetns(path: string): void {
  unpinNamespace(path);
}

/** Runs `work` in the network namespace pinned at `path`. Sockets that it makes stay in the namespace; see `inNamespace`. */
export function inNetns<T>(path: string, work: () => T extends Promise<unknown> ? never : T): T {
  return inNamespace('net', path, work);
}

/** Runs `work` in a new network namespace that ends with it. */
export function inNewNetns<T>(work: () => T extends Promise<unknown> ? never : T): T {
  return inNewNamespace('net', work);
}

/** Whether a network namespace is pinned at `path`. */
export function isNetns(path: string): boolean {
  return isPinned('net', path);
}
