import { ApiError } from '../status.ts';

/** The answer to a patch that is well-formed but does not fit the object: upstream's sentence, then why. */
export function unfitting(why: string): ApiError {
  return new ApiError('Invalid', `the server rejected our request due to an error in our request: ${why}`);
}
