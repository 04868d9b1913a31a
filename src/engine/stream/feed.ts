import type { Writable } from 'node:stream';

/**
 * Writes a source into a stream and ends it. The next chunk is asked for when the stream has done with the one before,
 * so that its memory may be used again. Throws what either throws; returns when the stream is closed by somebody else.
 */
export async function feed(stream: Writable, source: AsyncIterable<Uint8Array>): Promise<void> {
  // Whoever wrote hears of it.
  stream.on('error', () => {});
  // A stream that is destroyed does not call back for what it was at.
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  for await (const chunk of source) {
    const written = new Promise<void>((resolve, reject) => {
      stream.write(chunk, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
    await Promise.race([written, closed]);
    if (stream.destroyed) return;
  }
  stream.end();
}
