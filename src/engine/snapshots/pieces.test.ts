import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { type Piece, pieceBytes, Pieces } from './pieces.ts';

test('pieces are the bytes of the stream, also when the source and the reader use memory again', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 2 * pieceBytes }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 0, max: 3 }), async (chunkSizes, headPieces) => {
      const total = chunkSizes.reduce((sum, size) => sum + size, 0);
      const pieces = new Pieces(counting(chunkSizes));
      assert.equal(await pieces.endWithin(headPieces), Math.ceil(total / pieceBytes) <= headPieces);
      let at = 0;
      for await (const piece of pieces) {
        assert.ok(numbered(at, piece.length).equals(piece));
        at += piece.length;
        assert.ok(piece.length === pieceBytes || at === total, 'only the last one is shorter');
        pieces.giveBack(structuredClone<Piece>(piece.fill(0), { transfer: [piece.buffer] }));
      }
      assert.equal(at, total);
    }),
    { numRuns: 30 },
  );
});

test('a reader that leaves ends the source', async () => {
  let ended = false;
  const source = (async function* () {
    try {
      for (;;) yield await Promise.resolve(new Uint8Array(pieceBytes));
    } finally {
      ended = true;
    }
  })();
  const pieces = new Pieces(source);
  assert.equal(await pieces.endWithin(1), false);
  for await (const _ of pieces) break;
  assert.equal(ended, true);
});

/** Bytes that say where they stand, all in the same memory. */
async function* counting(sizes: readonly number[]): AsyncGenerator<Uint8Array, void, undefined> {
  const memory = new Uint8Array(Math.max(1, ...sizes));
  let at = 0;
  for (const size of sizes) {
    memory.set(numbered(at, size));
    at += size;
    yield await Promise.resolve(memory.subarray(0, size));
    memory.fill(0xff);
  }
}

function numbered(start: number, length: number): Buffer {
  const period = Buffer.from(Uint8Array.from({ length: 251 }, (_, index) => (start + index) % 251));
  return Buffer.alloc(length, period);
}
