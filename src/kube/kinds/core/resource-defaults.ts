import { formatQuantity, parseQuantity } from '#formats/quantity.ts';

const nanosOfMilli = 1_000_000n;

/** Rounds quantities up to thousandths, as upstream does with all resources. What is no quantity is left for validation. */
export function roundToMillis(resources: Record<string, string> | undefined): void {
  for (const [name, text] of Object.entries(resources ?? {})) {
    // Only these notations can be finer than a thousandth.
    if (resources === undefined || !/[nu.e]/.test(text)) continue;
    try {
      const { nanos, format } = parseQuantity(text);
      const rest = ((nanos % nanosOfMilli) + nanosOfMilli) % nanosOfMilli;
      if (rest !== 0n) resources[name] = formatQuantity({ nanos: nanos - rest + nanosOfMilli, format });
    } catch {
      continue;
    }
  }
}
