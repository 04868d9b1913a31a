import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import * as fc from 'fast-check';

import { toolPath } from '#kit/tools.ts';
import { decompressByProgram } from './decompress-by-program.ts';
import { decompress } from './decompress.ts';

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* pieces(bytes: Uint8Array, size: number, onClose?: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  } finally {
    onClose?.();
  }
}

/** By the programs themselves, as nothing here compresses so. */
const xzSync = (bytes: Uint8Array) => execFileSync(toolPath('xz'), ['-c'], { input: bytes });

const compressors = { plain: (bytes: Uint8Array) => Buffer.from(bytes), gzip: gzipSync, zstd: zstdCompressSync };

describe('decompress', () => {
  test('bytes come back whatever their compression and however they are cut', async () => {
    const magics = ['1f8b', '28b52ffd', '425a68', 'fd377a585a00'];
    const isPlain = (bytes: Uint8Array): boolean =>
      !magics.some((magic) => Buffer.from(bytes).toString('hex').startsWith(magic));
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }).filter(isPlain),
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom(...(Object.keys(compressors) as (keyof typeof compressors)[])),
        async (bytes, size, kind) => {
          assert.deepEqual(await collect(decompress(pieces(compressors[kind](bytes), size))), Buffer.from(bytes));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('several members or frames are one stream', async () => {
    const text = Buffer.from('first second');
    const [first, second] = [text.subarray(0, 6), text.subarray(6)];
    for (const compress of [gzipSync, zstdCompressSync, xzSync]) {
      const joined = Buffer.concat([compress(first), compress(second)]);
      assert.deepEqual(await collect(decompress(pieces(joined, 7))), text);
    }
  });

  test('broken and truncated bytes are Damaged, foreign compressions are named', async () => {
    const body = Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * index) % 251));
    for (const compress of [gzipSync, zstdCompressSync, xzSync]) {
      const whole = compress(body);
      const broken = Buffer.from(whole);
      broken.fill(0xff, compress === zstdCompressSync ? 5 : 12, 24);
      for (const bytes of [whole.subarray(0, whole.length - 9), broken]) {
        await assert.rejects(collect(decompress(pieces(bytes, 64))), { reason: 'Damaged' });
      }
    }
    await assert.rejects(collect(decompress(pieces(Buffer.from('BZh91AY&SY'), 3))), { reason: 'Damaged' });
    const noSuch = { name: 'slipway-no-such-program', args: [], package: 'no-such' };
    await assert.rejects(collect(decompressByProgram(noSuch, pieces(Buffer.from('x'), 1))), {
      reason: 'NotSupported',
      message: /slipway-no-such-program is not installed; apt-get install no-such/,
    });
  });

  test('the source is closed when the reader leaves, and its errors pass through', async () => {
    for (const compress of [...Object.values(compressors), xzSync]) {
      const closed = Promise.withResolvers<void>();
      const source = pieces(compress(Buffer.alloc(500_000, 1)), 50, closed.resolve);
      for await (const _ of decompress(source)) break;
      await closed.promise;

      const failure = new Error('the disk is gone');
      const failing = async function* (): AsyncGenerator<Uint8Array> {
        yield compress(Buffer.alloc(100)).subarray(0, 20);
        throw failure;
      };
      await assert.rejects(collect(decompress(failing())), failure);
    }
  });
});
