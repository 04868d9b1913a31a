import { sleep } from '#base/clock.ts';

/** Whether the promise settles within that time; false when it does not. Throws the signal's reason when it aborts. */
export async function settlesWithin(
  promise: Promise<unknown>,
  durationMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const settled = new AbortController();
  const stop = (): void => settled.abort();
  const watched = promise.then(stop, stop);
  const either = AbortSignal.any([settled.signal, signal]);
  const timedOut = await sleep(durationMs, either).then(
    () => true,
    () => false,
  );
  if (!timedOut && !settled.signal.aborted) signal.throwIfAborted();
  if (!timedOut) await watched;
  return !timedOut;
}

/** The promise's result, unless the signal aborts before: then its reason is thrown, and the promise goes on alone. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Looks every `periodMs` until `look` says yes; false when it did not in `durationMs`. */
export async function comesTrue(look: () => boolean, periodMs: number, durationMs: number): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += periodMs) {
    if (look()) return true;
    if (waitedMs >= durationMs) return false;
    await sleep(periodMs, never);
  }
}

const never = new AbortController().signal;
