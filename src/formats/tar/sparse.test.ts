import assert from 'node:assert/strict';
import test from 'node:test';

import { StatusError } from '#base/errors.ts';

import { encodeHeader, endOfTar } from './encode-header.ts';
import { encodePax } from './pax.ts';
import { readTar } from './read-tar.ts';
import { tarEntry } from './write-tar.ts';

/** A file of 3000 bytes with `ab` at 0 and `cd` at 2000, in each of GNU tar's formats. */
const archives: Readonly<Record<string, Uint8Array>> = {
  'old GNU': Buffer.concat([oldHeader([0, 2, 2000, 2], 3000, 4), data('abcd')]),
  'PAX 0.0': paxFile('GNUSparseFile.0/sparse', data('abcd'), 4, [
    ['GNU.sparse.size', '3000'],
    ['GNU.sparse.numblocks', '2'],
    ['GNU.sparse.offset', '0'],
    ['GNU.sparse.numbytes', '2'],
    ['GNU.sparse.offset', '2000'],
    ['GNU.sparse.numbytes', '2'],
    ['GNU.sparse.name', 'sparse'],
  ]),
  'PAX 0.1': paxFile('GNUSparseFile.0/sparse', data('abcd'), 4, [
    ['GNU.sparse.size', '3000'],
    ['GNU.sparse.name', 'sparse'],
    ['GNU.sparse.map', '0,2,2000,2'],
  ]),
  'PAX 1.0': paxFile(
    'GNUSparseFile.0/sparse',
    Buffer.concat([data('2\n0\n2\n2000\n2\n'), data('abcd')]),
    516,
    newFormat('3000'),
  ),
};

for (const [format, bytes] of Object.entries(archives))
  test(`reads a sparse file of format ${format}`, async () => {
    const [found] = await readAll(bytes);
    assert.equal(found?.path, 'sparse');
    assert.equal(found.body.length, 3000);
    assert.equal(found.body.toString('latin1').replaceAll('\0', ''), 'abcd');
    assert.equal(found.body.indexOf('cd'), 2000);
  });

test('reads a map that is continued in extension blocks', async () => {
  const pieces = Array.from({ length: 60 }, (_, index) => [index * 100, 1]).flat();
  const extension = Buffer.concat([sparseBlock(pieces.slice(8, 50), true), sparseBlock(pieces.slice(50, 92), true)]);
  const rest = sparseBlock(pieces.slice(92), false);
  const header = oldHeader(pieces.slice(0, 8), 6000, 60, true);
  const [found] = await readAll(Buffer.concat([header, extension, rest, data('x'.repeat(60))]));
  assert.equal(found?.body.length, 6000);
  assert.equal(found.body.indexOf('x', 5801), 5900);
});

test('maps that lie are damaged', async () => {
  const lies = [
    oldHeader([0, 2, 1, 2], 3000, 4),
    oldHeader([0, 2, 2000, 2], 2001, 4),
    oldHeader([0, 2, 2000, 3], 3000, 4),
    paxFile('s', data('9999999\n'), 4, newFormat('3000')),
    paxFile('s', data('-1\n'), 512, newFormat('3000')),
    paxFile('s', data('1\n0\n4\n'), 516, newFormat('')),
    paxFile('s', data('x'.repeat(512)), 512, newFormat('1')),
  ];
  for (const bytes of lies)
    await assert.rejects(
      readAll(Buffer.concat([bytes, data('abcd')])),
      (error) => error instanceof StatusError && error.reason === 'Damaged',
    );
});

function newFormat(realBytes: string): readonly [string, string][] {
  return [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'sparse'],
    ['GNU.sparse.realsize', realBytes],
  ];
}

function paxFile(path: string, body: Uint8Array, sizeBytes: number, records: readonly [string, string][]): Uint8Array {
  const pax = encodePax(records.map(([key, value]) => [key, Buffer.from(value)]));
  const block = Buffer.from(encodeHeader(tarEntry('PaxHeaders/x', { sizeBytes: pax.length })));
  block.write('x', 156);
  return Buffer.concat([sum(block), data(pax), encodeHeader(tarEntry(path, { sizeBytes })), body]);
}

function oldHeader(pieces: readonly number[], realBytes: number, sizeBytes: number, continues = false): Uint8Array {
  const block = Buffer.from(encodeHeader(tarEntry('sparse', { sizeBytes })));
  block.fill(0, 345);
  block.write('S', 156);
  block.write('ustar  \0', 257, 'latin1');
  for (const [index, value] of pieces.entries()) block.write(octal(value), 386 + index * 12, 'latin1');
  block[482] = continues ? 1 : 0;
  block.write(octal(realBytes), 483, 'latin1');
  return sum(block);
}

function sparseBlock(pieces: readonly number[], continues: boolean): Uint8Array {
  const block = Buffer.alloc(512);
  for (const [index, value] of pieces.entries()) block.write(octal(value), index * 12, 'latin1');
  block[504] = continues ? 1 : 0;
  return block;
}

function octal(value: number): string {
  return `${value.toString(8).padStart(11, '0')}\0`;
}

function sum(block: Buffer): Uint8Array {
  block.fill(0x20, 148, 156);
  const total = block.reduce((all, byte) => all + byte, 0);
  block.write(`${total.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function data(content: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

async function readAll(bytes: Uint8Array): Promise<{ path: string; body: Buffer }[]> {
  const found: { path: string; body: Buffer }[] = [];
  for await (const { entry, body } of readTar(pieces(Buffer.concat([bytes, endOfTar()])))) {
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    found.push({ path: entry.path, body: Buffer.concat(parts) });
  }
  return found;
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}
