import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';

/**
 * Starts a thread of this process, without the environment's variables. Compiled code is cached for it as for the main thread, which threads do not take over
 * by themselves: without, starting one takes three times as long.
 */
export function startThread(main: URL, data?: unknown): Worker {
  const cache = getCompileCacheDir();
  return new Worker(main, { workerData: data, env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache } });
}
