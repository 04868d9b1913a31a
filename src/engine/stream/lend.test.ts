import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { ArchiveFile } from './archive-file.ts';
import { giveBack, lend } from './lend.ts';

test('the memory of a chunk goes when the next is asked for, and shared memory stays', async () => {
  const shared = new Uint8Array(20);
  const chunks = [new Uint8Array([1, 2]), shared.subarray(5), new Uint8Array([3])];
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield* chunks;
  };
  const seen: number[] = [];
  for await (const chunk of lend(source())) {
    seen.push(chunk.length);
    assert.ok(chunk.length > 0);
  }
  assert.deepEqual(seen, [2, 15, 1]);
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [0, 15, 0],
  );
  assert.doesNotThrow(() => giveBack(chunks[0] ?? shared), 'a second time');
});

test('a file gives what it decompresses to, and says how far it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-archive-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'archive');
  // Compresses badly, so that there are many chunks both ways.
  const content = Buffer.from(Array.from({ length: 900_000 }, (_, index) => (index * (index >> 7)) % 253));
  for (const packed of [content, gzipSync(content), zstdCompressSync(content)]) {
    writeFileSync(path, packed);
    const reports: (readonly [number, number])[] = [];
    const read: Buffer[] = [];
    for await (const chunk of new ArchiveFile(path, (...report) => reports.push(report))) read.push(Buffer.from(chunk));
    assert.ok(Buffer.concat(read).equals(content));
    assert.ok(reports.length > 2);
    assert.deepEqual(reports.at(-1), [packed.length, content.length]);
  }
  writeFileSync(path, gzipSync(content).subarray(0, 1000));
  await assert.rejects(
    async () => {
      for await (const _ of new ArchiveFile(path));
    },
    { reason: 'Damaged' },
  );
});
