import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';

/** Compresses; the same bytes give the same bytes. */
export async function* gzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createGzip();
  pipeline(Readable.from(source, { objectMode: false }), stream, () => {});
  yield* stream as AsyncIterable<Uint8Array>;
}
