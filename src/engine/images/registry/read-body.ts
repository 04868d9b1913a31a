import { StatusError } from '#base/errors.ts';
import type { HttpResponse } from './http-transport.ts';

/** Reads a whole body of at most `limitBytes`; throws TooLarge when there is more. */
export async function readBody(response: HttpResponse, limitBytes: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limitBytes) {
      throw new StatusError('TooLarge', `Cannot read ${what}: it is larger than ${String(limitBytes)} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Frees the connection of a response whose body says nothing of interest. */
export async function discardBody(response: HttpResponse): Promise<void> {
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > discardedBytesMost) return;
  }
}

/** Beyond this a new connection is cheaper than the rest of the body. */
const discardedBytesMost = 65_536;
