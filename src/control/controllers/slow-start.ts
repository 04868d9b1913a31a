/** Pieces of work at a time, however well it goes. */
const mostAtOnce = 64;

/**
 * Does work first once, then twice as often at a time while all of it succeeds: what cannot succeed is not tried a thousand
 * times. Gives the first failure; undefined when there was none.
 */
export async function slowStart(count: number, work: (index: number) => Promise<void>): Promise<Error | undefined> {
  let size = 1;
  for (let done = 0; done < count; size = Math.min(size * 2, mostAtOnce)) {
    const batch = Math.min(size, count - done);
    const from = done;
    const results = await Promise.allSettled(Array.from({ length: batch }, async (_, at) => work(from + at)));
    const failed = results.find((one) => one.status === 'rejected');
    if (failed !== undefined) return failed.reason instanceof Error ? failed.reason : new Error(String(failed.reason));
    done += batch;
  }
  return undefined;
}
