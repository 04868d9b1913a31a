// What has to be said before the daemon's process begins.

/**
 * V8's four helper threads have little to do, and one is as fast for us; `idle-memory.ts` collects garbage. Young objects
 * get 8 MB in place of 134: requests are as fast, and the memory stays in the processor's cache.
 */
export const daemonFlags: readonly string[] = ['--v8-pool-size=1', '--max-semi-space-size=4', '--expose-gc'];

/** With malloc's default each thread keeps memory of its own, 20 MB and more in all. */
export const daemonEnvironment: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };
