import { StatusError } from '#base/errors.ts';

/** Something is wrong with an instruction; whoever knows its line adds the place. */
export function invalid(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
