/** Docker's word for a time that never was. */
export const never = '0001-01-01T00:00:00Z';

/** ISO 8601 in UTC with nanoseconds, without trailing zeros, as Docker prints times. */
export function formatTime(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = (timeNs % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** Milliseconds since the epoch; 0 for `never`. */
export function timeMs(text: string): number {
  return text === never ? 0 : Date.parse(text);
}
