import { constants } from 'node:os';

import { StatusError } from '#base/errors.ts';

const maximumSignal = 64;
const realTime = /^RT(MIN|MAX)([+-]\d{1,2})?$/;

/** Checks a signal's name (`SIGTERM`, `term`) or number and returns it as given; throws InvalidArgument as Docker does. */
export function checkSignal(text: string): string {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const number = Number(text);
  const isNumber = /^\d{1,3}$/.test(text) && number >= 1 && number <= maximumSignal;
  if (isNumber || `SIG${name}` in constants.signals || realTime.test(name)) return text;
  throw new StatusError('InvalidArgument', `Invalid signal: ${text}`);
}
