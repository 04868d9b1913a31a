import { statSync } from 'node:fs';

import { logGenerations } from '../log-files.ts';
import type { LogPosition } from '../log-tail.ts';
import { openGeneration } from '../open-generation.ts';

const blockBytes = 64 * 1024;
const newline = 0x0a;

/**
 * Where to go on when more than `mostBytes` lie between a position and the end of the log: at the first line of the last
 * `mostBytes`. undefined when it is not as much. Files that are compressed already count as left behind.
 */
export async function skipBacklog(
  folder: string,
  from: LogPosition,
  mostBytes: number,
): Promise<LogPosition | undefined> {
  let left = mostBytes;
  for (const generation of logGenerations(folder).toReversed()) {
    const { number, path, compressed } = generation;
    if (number < from.generation) return undefined;
    if (compressed) return { generation: number + 1, offset: 0 };
    const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const start = number === from.generation ? from.offset : 0;
    if (sizeBytes - start > left) return lineAfter(generation, sizeBytes - left);
    left -= sizeBytes - start;
  }
  return undefined;
}

async function lineAfter(
  generation: Parameters<typeof openGeneration>[0],
  from: number,
): Promise<LogPosition | undefined> {
  await using file = await openGeneration(generation);
  if (file === undefined) return undefined;
  const block = Buffer.alloc(blockBytes);
  for (let offset = from; ; offset += blockBytes) {
    const { bytesRead } = await file.read(block, 0, blockBytes, offset);
    const end = block.subarray(0, bytesRead).indexOf(newline);
    if (end >= 0) return { generation: generation.number, offset: offset + end + 1 };
    if (bytesRead < blockBytes) return undefined;
  }
}
