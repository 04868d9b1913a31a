import { startThread } from '#base/thread.ts';

import { SystemError } from './errno.ts';

export interface NetworkMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  /** Options as mount(8) takes them. */
  readonly words: readonly string[];
}

/** 0 for success. */
export interface MountReply {
  readonly errno: number;
}

/**
 * `mountFilesystem` on a thread of its own, for filesystems that wait for another machine; this one has others to serve
 * meanwhile. When the signal aborts first, the mount may still come about later.
 */
export async function mountInThread(mount: NetworkMount, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const worker = startThread(new URL('./mount-thread.ts', import.meta.url), mount);
  worker.unref();
  const { promise, resolve, reject } = Promise.withResolvers<MountReply>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the thread that mounts ended before its work')));
  try {
    const { errno } = await promise;
    if (errno !== 0) throw new SystemError('mount', errno, mount.target);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
