import { pipeline, Readable } from 'node:stream';
import type { Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';

import { StatusError } from '#base/errors.ts';

const gzipMagic = Buffer.from([0x1f, 0x8b]);
export const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const otherMagics: readonly (readonly [name: string, magic: Buffer])[] = [
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];
const magicBytesMost = 6;
/** 128 MiB of memory for a zstd window; what the zstd tool needs no flag for. */
const zstdWindowLogMost = 27;

/**
 * The bytes of a stream that is plain, gzip or zstd, told apart by its first bytes. Throws Damaged when the compressed
 * bytes are broken or end early, NotSupported for other compressions; the source's own errors pass unchanged.
 */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = source[Symbol.asyncIterator]();
  await using _source = { [Symbol.asyncDispose]: async () => void (await chunks.return?.()) };
  const head = await readHead(chunks);
  const stream = decompressorFor(head);
  if (stream === undefined) {
    yield* rejoin(head, chunks);
    return;
  }
  // The pipeline hands the source's errors to the reader.
  pipeline(Readable.from(rejoin(head, chunks), { objectMode: false }), stream, () => {});
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (!isCompressionError(error)) throw error;
    throw new StatusError('Damaged', 'Cannot decompress: the bytes are broken or end early', { cause: error });
  }
}

function decompressorFor(head: Buffer): Transform | undefined {
  const startsWith = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  if (startsWith(gzipMagic)) return createGunzip();
  if (startsWith(zstdMagic)) {
    return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMost } });
  }
  const other = otherMagics.find(([, magic]) => startsWith(magic));
  if (other === undefined) return undefined;
  throw new StatusError('NotSupported', `Cannot decompress: ${other[0]} is not supported; use gzip, zstd or none`);
}

async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < magicBytesMost) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* rejoin(head: Buffer, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

function isCompressionError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^Z(STD)?_/.test(String(error.code));
}
