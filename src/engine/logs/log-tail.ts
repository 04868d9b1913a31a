import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';

import type { LogQuery } from './container-log.ts';
import type { Generation } from './log-files.ts';
import { lineKind } from './log-format.ts';

const blockBytes = 64 * 1024;
const newline = 0x0a;

/** Where reading begins. */
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
  for (const generation of generations.toReversed()) {
    for await (const { offset, line } of linesBackwards(generation.path)) {
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

/** The end of the last file with content: an empty one after it is where writing will go on. */
/** Synchronous: what is written after the reader asked is never taken for old. */
function endOf(generations: readonly Generation[]): LogPosition {
  for (const { number, path } of generations.toReversed()) {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0) return { generation: number, offset: size };
  }
  return { generation: generations[0]?.number ?? 0, offset: 0 };
}

async function* linesBackwards(
  path: string,
): AsyncGenerator<{ readonly offset: number; readonly line: Buffer }, void, undefined> {
  await using file = await open(path, 'r');
  let end = (await file.stat()).size;
  let tail: Buffer = Buffer.alloc(0);
  while (end > 0) {
    const length = Math.min(blockBytes, end);
    const block = Buffer.alloc(length);
    const { bytesRead } = await file.read(block, 0, length, end - length);
    end -= length;
    let rest = Buffer.concat([block.subarray(0, bytesRead), tail]);
    // Without its last newline, which ends the last line and begins none.
    for (;;) {
      const lastIsEnd = rest.at(-1) === newline;
      const start = rest.lastIndexOf(newline, rest.length - (lastIsEnd ? 2 : 1));
      if (start < 0 || rest.length === 0) break;
      yield { offset: end + start + 1, line: rest.subarray(start + 1) };
      rest = rest.subarray(0, start + 1);
    }
    tail = Buffer.from(rest);
  }
  if (tail.length > 0) yield { offset: 0, line: tail };
}
