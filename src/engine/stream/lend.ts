/**
 * Passes on a stream whose chunks are nobody else's: each is there until the next one is asked for, and then its memory is
 * given back at once. Left to V8, all garbage is collected for every ten megabytes that streams bring.
 */
export async function* lend(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    yield chunk;
    giveBack(chunk);
  }
}

/** Frees the memory of a chunk that has it alone; one that shares it, or is gone already, is left. */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (byteLength > 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
