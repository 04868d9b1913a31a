/** Counts of a status as upstream writes them: those that are zero are left out. */
export function withoutZeros<T extends Readonly<Record<string, number | undefined>>>(counts: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(counts).filter(([, count]) => count !== 0 && count !== undefined),
  ) as Partial<T>;
}
