import { open } from 'node:fs/promises';

const chunkBytes = 262_144;

/** The bytes of a file, read as they are asked for; the file is closed when the reader ends or leaves. */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path, 'r');
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
