/** Passes a stream on and tells the sum of its bytes after each chunk; ends with the signal's reason when aborted. */
export async function* observe(
  source: AsyncIterable<Uint8Array>,
  onBytes: (totalBytes: number, chunk: Uint8Array) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const chunk of source) {
    signal.throwIfAborted();
    total += chunk.length;
    onBytes(total, chunk);
    yield chunk;
  }
}
