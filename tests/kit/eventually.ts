import { deadline, sleep } from '#base/clock.ts';

/** Far above what anything takes on a slow machine under load. */
const deadlineMs = 60_000;
const lookEveryMs = 20;

/**
 * Waits until `look` returns something other than undefined or false, and returns it. Throws what `look` threw last, or
 * that it never came true.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = deadlineMs,
): Promise<T> {
  const limit = deadline(withinMs);
  let lastError: unknown;
  while (!limit.aborted) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(lookEveryMs, limit).catch(() => {});
  }
  throw new Error(`waited ${String(withinMs / 1000)} s in vain: ${what}`, { cause: lastError });
}
