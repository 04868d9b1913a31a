import { StatusError } from '#base/errors.ts';

/** Runs work on bytes that the client sends: what is Damaged then is the client's mistake, not this machine's. */
export async function onClientBytes<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'Damaged') throw error;
    throw new StatusError('InvalidArgument', error.message, { problems: error.problems, cause: error.cause });
  }
}
