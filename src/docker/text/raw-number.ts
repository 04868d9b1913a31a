/** A whole number as JSON.stringify writes it, also where a double cannot hold it. */
export function rawNumber(value: bigint): unknown {
  // TypeScript's library does not know JSON.rawJSON yet.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString());
}
