/**
 * The result of `work`, or a rejection with the reason of the first signal that aborts. For work at high rates:
 * AbortSignal.any would leave something behind on long-lived signals each time.
 */
export async function untilAborted<T>(work: Promise<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signals.find(({ aborted }) => aborted)?.reason as Error);
  if (signals.some(({ aborted }) => aborted)) stop();
  for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', stop);
    // The loser's failure is nobody's any more.
    work.catch(() => {});
    promise.catch(() => {});
  }
}
