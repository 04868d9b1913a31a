import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { isArchive, isTarHeader } from './is-archive.ts';

/** A header block of an empty file with a right checksum. */
function header(name: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block.write('        ', 148);
  block.write('0', 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

test('files are told by their bytes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-archive-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const kind = async (bytes: Uint8Array): Promise<boolean> => {
    writeFileSync(join(folder, 'file.tar.gz'), bytes);
    return await isArchive(join(folder, 'file.tar.gz'));
  };
  const tar = Buffer.concat([header('a'), Buffer.alloc(1024)]);
  assert.equal(await kind(tar), true);
  assert.equal(await kind(gzipSync(tar)), true);
  assert.equal(await kind(zstdCompressSync(tar)), true);
  assert.equal(await kind(gzipSync('just text')), false);
  assert.equal(await kind(zstdCompressSync(Buffer.alloc(100_000, 'x'))), false);
  assert.equal(await kind(gzipSync(tar).subarray(0, 15)), false, 'cut off');
  assert.equal(await kind(Buffer.from('1f8b0800ffff', 'hex')), false, 'broken');
  assert.equal(await kind(Buffer.from('text')), false);
  assert.equal(await kind(Buffer.alloc(0)), false);
  assert.equal(await kind(Buffer.alloc(1024)), false, 'zeros');
  await assert.rejects(kind(Buffer.from('BZh91AY')), { reason: 'NotSupported', message: /bzip2/ });
  await assert.rejects(kind(Buffer.from('fd377a585a0000', 'hex')), { reason: 'NotSupported', message: /xz/ });
});

test('a header with another checksum is none', () => {
  const block = header('a');
  assert.ok(isTarHeader(block));
  block[0] = 99;
  assert.ok(!isTarHeader(block));
});
