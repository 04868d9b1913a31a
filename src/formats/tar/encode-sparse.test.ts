import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { bodyPadding, endOfTar } from './encode-header.ts';
import { encodeSparseHeader } from './encode-sparse.ts';
import { readTar } from './read-tar.ts';
import type { SparsePiece } from './sparse.ts';
import { tarEntry } from './write-tar.ts';

const part = fc.record({
  hole: fc.integer({ min: 0, max: 2000 }),
  data: fc.uint8Array({ minLength: 1, maxLength: 700 }),
});

test('a file with holes is read back whole, whatever its pieces', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 40 }), fc.nat(3000), async (parts, tailBytes) => {
      const pieces: SparsePiece[] = [];
      const content: Uint8Array[] = [];
      let offset = 0;
      for (const { hole, data } of parts) {
        pieces.push({ offset: offset + hole, sizeBytes: data.length });
        content.push(new Uint8Array(hole), data);
        offset += hole + data.length;
      }
      content.push(new Uint8Array(tailBytes));
      const entry = tarEntry('some/ä-file', { sizeBytes: offset + tailBytes, mode: 0o640, uid: 7 });
      const { head, bodyBytes } = encodeSparseHeader(entry, pieces);
      const archive = [head, ...parts.map(({ data }) => data), bodyPadding(bodyBytes), endOfTar()];
      const members = await read(archive);
      assert.equal(members.length, 1);
      assert.deepEqual(members[0]?.entry, entry);
      assert.ok(Buffer.concat(content).equals(members[0].bytes));
    }),
    { numRuns: 60 },
  );
});

async function read(archive: readonly Uint8Array[]): Promise<{ entry: object; bytes: Buffer }[]> {
  const members: { entry: object; bytes: Buffer }[] = [];
  for await (const { entry, body } of readTar(chunks(archive))) {
    const bytes: Uint8Array[] = [];
    for await (const chunk of body) bytes.push(Uint8Array.from(chunk));
    members.push({ entry, bytes: Buffer.concat(bytes) });
  }
  return members;
}

async function* chunks(archive: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* archive;
}
