/** A count, or a share such as `25%` (apimachinery, util/intstr). */
export type IntOrPercent = number | string;

/** The percentage of a text such as `25%`; undefined for anything else. */
export function percentOf(value: IntOrPercent): number | undefined {
  const match = typeof value === 'string' ? /^(\d{1,9})%$/.exec(value) : null;
  return match === null ? undefined : Number(match[1]);
}

/** How many of `total` a count or share is; undefined when a text is no percentage. */
export function scaledCount(value: IntOrPercent, total: number, round: 'up' | 'down'): number | undefined {
  if (typeof value === 'number') return value;
  const percent = percentOf(value);
  if (percent === undefined) return undefined;
  return round === 'up' ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100);
}
