import { systemCall } from './ffi.ts';

const mallocTrim = systemCall('int malloc_trim(size_t keptBytes)');

/** Gives pages that malloc keeps for later back to the kernel (malloc_trim(3)). */
export function trimMemory(): void {
  mallocTrim('memory', 0);
}
