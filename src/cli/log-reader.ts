import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import { sleep } from '#base/clock.ts';
import { hasCode } from '#sys/errno.ts';

const lookEveryMs = 200;
const chunkBytes = 64 * 1024;
const newline = 0x0a;

export interface LogText {
  /** Whole lines. */
  readonly text: string;
  /** Offset in the file of what comes next. */
  readonly end: number;
}

/**
 * Gives the last lines of a log, and those of its predecessor `<path>.1` where it has too few. Returns the offset where
 * it ended, undefined when there is no log.
 */
export function lastLines(path: string, count: number, onLine: (line: string) => void): number | undefined {
  const found = readLog(path, 0);
  if (found === undefined) return undefined;
  const lines = linesOf(found.text);
  const older = lines.length < count ? linesOf(readLog(`${path}.1`, 0)?.text ?? '') : [];
  const wanted = count === 0 ? [] : [...older, ...lines].slice(-count);
  for (const line of wanted) onLine(line);
  return found.end;
}

/** Gives what is appended after `offset`, until the signal aborts; starts over when the log was emptied. */
export async function followLog(
  path: string,
  offset: number,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let position = offset;
  while (!signal.aborted) {
    const found = readLog(path, position);
    position = found?.end ?? 0;
    if (found !== undefined && found.text !== '') onText(found.text);
    await sleep(lookEveryMs, signal).catch(() => {});
  }
}

/** The whole lines from an offset on; from the start when the file is shorter. Undefined when there is no file. */
export function readLog(path: string, offset: number): LogText | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = size < offset ? 0 : offset;
    const bytes = readRange(descriptor, start, size);
    const length = bytes.lastIndexOf(newline) + 1;
    return { text: bytes.subarray(0, length).toString(), end: start + length };
  } finally {
    closeSync(descriptor);
  }
}

function readRange(descriptor: number, start: number, end: number): Buffer {
  const chunks: Buffer[] = [];
  for (let position = start; position < end;) {
    const chunk = Buffer.alloc(Math.min(chunkBytes, end - position));
    const count = readSync(descriptor, chunk, 0, chunk.length, position);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    position += count;
  }
  return Buffer.concat(chunks);
}

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}
