/** The value in the middle; of an even number the lower of the two; 0 for none. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)] ?? 0;
}

/** `441 (237)`: median and minimum. */
export function medianAndMinimum(values: readonly number[]): string {
  return `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)})`;
}
