import { StatusError } from '#base/errors.ts';

/** Options are refused in Docker's words, whole. */
export function invalidOption(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
