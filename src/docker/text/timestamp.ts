import { StatusError } from '#base/errors.ts';
import { parseGoDuration } from '#formats/go-duration.ts';

const second = 1_000_000_000n;

/** A time as Docker's `since` and `until` have it: seconds since the epoch with up to nine decimals, in nanoseconds. */
export function parseUnixTime(text: string): bigint {
  const match = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw new StatusError('InvalidArgument', `invalid timestamp "${text}": want seconds since 1970`);
  return BigInt(match[1] ?? '0') * second + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** A time in the filters of prune requests: a Unix time, an ISO 8601 time, or a Go duration back from `nowNs`. */
export function parsePointInTime(text: string, nowNs: bigint): bigint {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return parseUnixTime(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return isoToNs(text);
  return nowNs - BigInt(parseGoDuration(text));
}

/** An ISO 8601 time with up to nine decimals as nanoseconds since the epoch. */
export function isoToNs(text: string): bigint {
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  const wholeMs = BigInt(Date.parse(text.replace(/\.\d+/, '')));
  return wholeMs * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** ISO 8601 with nanoseconds in UTC, as Go prints times: trailing zeros of the fraction left out. */
export function nsToIso(timeNs: bigint): string {
  const rest = ((timeNs % second) + second) % second;
  const whole = new Date(Number((timeNs - rest) / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = rest.toString().padStart(9, '0').replace(/0+$/, '');
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Whole seconds since the epoch. */
export function isoToSeconds(text: string): number {
  return Math.floor(Date.parse(text) / 1000);
}

/** ISO 8601 in UTC with all nine decimals, so that lines of a log stand below each other. */
export function nsToFixedIso(timeNs: bigint): string {
  const rest = ((timeNs % second) + second) % second;
  const whole = new Date(Number((timeNs - rest) / 1_000_000n)).toISOString().slice(0, 19);
  return `${whole}.${rest.toString().padStart(9, '0')}Z`;
}
