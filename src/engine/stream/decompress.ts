import type { Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';

import { StatusError } from '#base/errors.ts';
import { decompressByProgram } from './decompress-by-program.ts';
import type { Decompressor } from './decompress-by-program.ts';
import { feed } from './feed.ts';

const gzipMagic = Buffer.from([0x1f, 0x8b]);
export const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Compressions that Node.js does not know, and the programs that do. */
const programs: readonly (readonly [magic: Buffer, program: Decompressor])[] = [
  [Buffer.from('BZh'), { name: 'bzip2', args: ['-dc'], package: 'bzip2' }],
  [
    Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
    { name: 'xz', args: ['-dc', '--memlimit-decompress=512MiB'], package: 'xz-utils' },
  ],
];
const magicBytesMost = 6;
/** Of what comes out: each piece costs a turn of the event loop. */
const chunkBytes = 262_144;
/** 128 MiB of memory for a zstd window; what the zstd tool needs no flag for. */
const zstdWindowLogMost = 27;

/**
 * The bytes of a stream that is plain, gzip, zstd, xz or bzip2, told apart by its first bytes. A chunk of the source is
 * done with when the next is asked for. Throws Damaged when the compressed bytes are broken or end early, NotSupported
 * when the program for them is missing; the source's own errors pass unchanged.
 */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = source[Symbol.asyncIterator]();
  await using _source = { [Symbol.asyncDispose]: async () => void (await chunks.return?.()) };
  const head = await readHead(chunks);
  const startsWith = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  const [, program] = programs.find(([magic]) => startsWith(magic)) ?? [];
  if (program !== undefined) {
    yield* decompressByProgram(program, rejoin(head, chunks));
    return;
  }
  const stream = startsWith(gzipMagic)
    ? createGunzip({ chunkSize: chunkBytes })
    : startsWith(zstdMagic)
      ? createZstd()
      : undefined;
  if (stream === undefined) {
    yield* rejoin(head, chunks);
    return;
  }
  // What the source throws is handed to the reader.
  const fed = feed(stream, rejoin(head, chunks)).catch((error: unknown) => stream.destroy(error as Error));
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (!isCompressionError(error)) throw error;
    throw new StatusError('Damaged', 'Cannot decompress: the bytes are broken or end early', { cause: error });
  } finally {
    stream.destroy();
    await fed;
  }
}

function createZstd(): Transform {
  return createZstdDecompress({
    chunkSize: chunkBytes,
    params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMost },
  });
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
