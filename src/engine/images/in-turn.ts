/**
 * Runs `work` through a queue (a lock, a limit) whose waiting an abort ends at once; the place in the queue then passes
 * without work. Work that has begun is waited for: it hears the signal itself.
 */
export async function inTurn<T>(
  queue: (work: () => Promise<T>) => Promise<T>,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const turn = Promise.withResolvers<void>();
  const done = queue(async () => {
    turn.resolve();
    signal.throwIfAborted();
    return await work();
  });
  done.catch(() => {});
  const leave = (): void => turn.reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    await turn.promise;
  } finally {
    signal.removeEventListener('abort', leave);
  }
  return await done;
}
