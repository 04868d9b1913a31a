import { constants } from 'node:os';

import { StatusError } from '#base/errors.ts';

const mostSignal = 64;
/** glibc's SIGRTMIN and SIGRTMAX. */
const realtime = { first: 34, last: 64 };

/**
 * The number of a signal by name (with or without `SIG`, any case, also `RTMIN+3`) or number. Throws InvalidArgument
 * with Docker's words.
 */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= mostSignal) return number;
    throw invalid(text);
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const known = (constants.signals as Readonly<Record<string, number | undefined>>)[`SIG${name}`];
  const number = known ?? realtimeNumber(name);
  if (number === undefined) throw invalid(text);
  return number;
}

function realtimeNumber(name: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (match === null) return undefined;
  const base = match[1] === 'MIN' ? realtime.first : realtime.last;
  const number = base + (match[2] === '-' ? -1 : 1) * Number(match[3] ?? 0);
  return number >= realtime.first && number <= realtime.last ? number : undefined;
}

function invalid(text: string): StatusError {
  return new StatusError('InvalidArgument', `invalid signal: ${text}`);
}
