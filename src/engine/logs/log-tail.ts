import { statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

import type { LogQuery } from './container-log.ts';
import type { Generation } from './log-files.ts';
import { lineKind } from './log-format.ts';
import { openGeneration } from './open-generation.ts';

const blockBytes = 64 * 1024;
const newline = 0x0a;

/** Where reading begins: bytes of a generation as they are when it is not compressed. */
export interface LogPosition {
  readonly generation: number;
  readonly offset: number;
}

/** Where the last `count` lines begin, reading from the end; parts of a long line count as one. */
export async function findTail(
  generations: readonly Generation[],
  count: number,
  streams: Pick<LogQuery, 'stdout' | 'stderr'>,
): Promise<LogPosition> {
  let position = endOf(generations);
  let left = count;
  let first = true;
  if (count === 0) return position;
  for (const generation of generations.toReversed()) {
    await using file = await openGeneration(generation);
    if (file === undefined) continue;
    for await (const lines of linesBackwards(file))
      for (const { offset, line } of lines) {
        const kind = lineKind(line);
        if (kind === undefined || !streams[kind.stream]) continue;
        // A line begins a new count when it ends there; the newest counts though it may be unfinished.
        if (kind.ends || first) {
          if (left === 0) return position;
          left -= 1;
        }
        first = false;
        position = { generation: generation.number, offset };
      }
  }
  return position;
}

/**
 * The end of the last file with content: an empty one after it is where writing will go on.
 * Synchronous: what is written after the reader asked is never taken for old.
 */
function endOf(generations: readonly Generation[]): LogPosition {
  for (const { number, path, compressed } of generations.toReversed()) {
    if (compressed) return { generation: number + 1, offset: 0 };
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0) return { generation: number, offset: size };
  }
  return { generation: generations[0]?.number ?? 0, offset: 0 };
}

interface PlacedLine {
  readonly offset: number;
  /** With its newline, when it has one. */
  readonly line: Buffer;
}

/** The lines of a file from the last to the first, block by block. */
async function* linesBackwards(file: FileHandle): AsyncGenerator<readonly PlacedLine[], void, undefined> {
  let at = (await file.stat()).size;
  // The end of a line whose beginning lies before the block.
  let tail: Buffer = Buffer.alloc(0);
  while (at > 0) {
    const length = Math.min(blockBytes, at);
    const block = Buffer.alloc(length);
    at -= length;
    const { bytesRead } = await file.read(block, 0, length, at);
    const bytes = Buffer.concat([block.subarray(0, bytesRead), tail]);
    const lines: PlacedLine[] = [];
    let end = bytes.length;
    // The last byte of a line ends it and begins none.
    for (let before = lastNewline(bytes, end - 2); before >= 0; before = lastNewline(bytes, end - 2)) {
      lines.push({ offset: at + before + 1, line: bytes.subarray(before + 1, end) });
      end = before + 1;
    }
    yield lines;
    tail = bytes.subarray(0, end);
  }
  if (tail.length > 0) yield [{ offset: 0, line: tail }];
}

function lastNewline(bytes: Buffer, from: number): number {
  return from < 0 ? -1 : bytes.lastIndexOf(newline, from);
}
