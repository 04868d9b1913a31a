import { readFileSync } from 'node:fs';

import { systemCall } from './ffi.ts';

const mallocTrim = systemCall('int malloc_trim(size_t keptBytes)');
const madvise = systemCall('int madvise(uintptr_t start, size_t sizeBytes, int advice)');
/** madvise(2). */
const dontNeed = 4;

/** Addresses of this process, as proc_pid_maps(5) has them. */
export interface MemoryRange {
  readonly start: number;
  readonly sizeBytes: number;
}

/** Gives pages that malloc keeps for later back to the kernel (malloc_trim(3)). */
export function trimMemory(): void {
  mallocTrim('memory', 0);
}

/**
 * Gives pages of programs and libraries back that were read from their files and never changed (MADV_DONTNEED): most of
 * them only a start needs. What is needed again comes from the page cache, at the cost of a page fault.
 */
export function dropFilePages(): void {
  for (const { start, sizeBytes } of cleanFileRanges(readFileSync('/proc/self/smaps', 'utf8')))
    madvise('memory', start, sizeBytes, dontNeed);
}

/**
 * Ranges whose content is that of a file and stays so, out of proc_pid_smaps(5): they cannot be written, and no page of
 * them was changed before, as those with relocations are, neither in memory nor swapped out.
 */
export function cleanFileRanges(smaps: string): readonly MemoryRange[] {
  return smaps.split(/^(?=[\da-f]+-[\da-f]+ )/m).flatMap((mapping) => {
    const [, from = '', to = ''] = /^([\da-f]+)-([\da-f]+) r-[-x]p \S+ \S+ [1-9]\d* +\//.exec(mapping) ?? [];
    const changed = ['Anonymous', 'Swap'].some((name) => !new RegExp(`^${name}: +0 kB$`, 'm').test(mapping));
    if (from === '' || changed) return [];
    const start = Number.parseInt(from, 16);
    return { start, sizeBytes: Number.parseInt(to, 16) - start };
  });
}
