import { nowNs } from '#base/clock.ts';

/** Seconds since the epoch with all their decimals, for `--since` and `--until`: the client cuts times that it reckons itself. */
export function nowText(): string {
  const timeNs = nowNs();
  return `${String(timeNs / 1_000_000_000n)}.${String(timeNs % 1_000_000_000n).padStart(9, '0')}`;
}
