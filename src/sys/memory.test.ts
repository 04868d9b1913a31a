import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import koffi from 'koffi';

import { trimMemory } from './memory.ts';

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

/** proc_pid_statm(5). */
function residentBytes(): number {
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096;
}
