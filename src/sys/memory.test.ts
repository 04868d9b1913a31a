import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import koffi from 'koffi';

import { cleanFileRanges, dropFilePages, trimMemory } from './memory.ts';

test('memory that was freed goes back to the kernel', () => {
  const libc = koffi.load('libc.so.6');
  const malloc = libc.func('size_t malloc(size_t bytes)') as (bytes: number) => number;
  const calloc = libc.func('size_t calloc(size_t count, size_t bytes)') as (count: number, bytes: number) => number;
  const free = libc.func('void free(size_t address)') as (address: number) => void;
  // Of a size that malloc carves out of its arena, with one kept above that keeps the arena from shrinking by itself.
  const pieces = Array.from({ length: 2000 }, () => calloc(1, 32_000));
  const kept = malloc(32_000);
  for (const piece of pieces) free(piece);
  const before = residentBytes();
  trimMemory();
  const given = before - residentBytes();
  free(kept);
  assert.ok(given > 30_000_000, `${String(given)} bytes of 64,000,000 went back`);
});

test('pages of the program that nothing needs go back, and come again', () => {
  const before = residentFileBytes();
  dropFilePages();
  const given = before - residentFileBytes();
  assert.ok(given > 4_000_000, `${String(given)} of ${String(before)} bytes went back`);
  assert.equal(JSON.stringify([...new Intl.Segmenter('en').segment('ab')].map(({ segment }) => segment)), '["a","b"]');
});

test('only ranges that are as their file has them count as clean', () => {
  const mapping = (head: string, anonymous = 0, swap = 0): string =>
    `${head}\nSize:  8 kB\nRss:  8 kB\nAnonymous:  ${String(anonymous)} kB\nSwap:  ${String(swap)} kB\nVmFlags: rd mr\n`;
  const smaps = [
    mapping('00400000-00402000 r-xp 00001000 fe:00 12                 /usr/bin/node'),
    mapping('00402000-00404000 r--p 00003000 fe:00 12                 /usr/bin/node'),
    mapping('00404000-00406000 r--p 00005000 fe:00 12                 /usr/bin/node', 4),
    mapping('00406000-00408000 r--p 00005000 fe:00 12                 /usr/bin/node', 0, 4),
    mapping('00408000-0040a000 rw-p 00005000 fe:00 12                 /usr/bin/node'),
    mapping('0040a000-0040c000 r--s 00000000 fe:00 13                 /var/lib/store.db-shm'),
    mapping('7f0000000000-7f0000002000 r-xp 00000000 00:00 0 '),
    mapping('7fff00000000-7fff00002000 r-xp 00000000 00:00 0          [vdso]'),
  ].join('');
  assert.deepEqual(cleanFileRanges(smaps), [
    { start: 0x400000, sizeBytes: 0x2000 },
    { start: 0x402000, sizeBytes: 0x2000 },
  ]);
});

/** proc_pid_statm(5). */
function residentBytes(): number {
  return statm(1);
}

/** Of files and shared memory. */
function residentFileBytes(): number {
  return statm(2);
}

function statm(field: number): number {
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[field]) * 4096;
}
