import type { LogRecord } from './container-log.ts';
import { FolderChanges } from './folder-changes.ts';
import { type Generation, logGenerations } from './log-files.ts';
import { LineSplitter, LogLineParser } from './log-format.ts';
import type { LogPosition } from './log-tail.ts';
import { openGeneration } from './open-generation.ts';

const chunkBytes = 256 * 1024;

export interface LogSource {
  readonly folder: string;
  /** Aborts when nothing will be written any more; what is there is read to its end then. */
  readonly finished: AbortSignal;
}

/**
 * What one look at a file found and where the next one begins, or that there is nothing more at this moment. The bytes are
 * there until the next step is asked for.
 */
export type LogStep = { readonly parts: readonly LogRecord[]; readonly next: LogPosition } | 'idle';

/**
 * The pieces of a log as conmon wrote them, from a position on; with `follow` those that are written later too, across
 * rotations. Ends quietly when the signal aborts.
 */
export async function* readSteps(
  { folder, finished }: LogSource,
  start: LogPosition,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<LogStep, void, undefined> {
  // Before the first look, so that nothing falls between looking and waiting.
  using changes = follow ? new FolderChanges(folder, finished) : undefined;
  let { generation: number, offset } = start;
  for (;;) {
    const generation = logGenerations(folder).find((candidate) => candidate.number >= number);
    if (generation === undefined) {
      yield 'idle';
      if (changes === undefined || !(await changes.next(signal))) return;
      continue;
    }
    yield* readGeneration(folder, generation, generation.number === number ? offset : 0, changes, signal);
    if (signal.aborted) return;
    number = generation.number + 1;
    offset = 0;
    if (!(await hasContent(logGenerations(folder), number))) return;
  }
}

/** Reads one file to its end; ends when a later one has content or nothing more is to come. */
async function* readGeneration(
  folder: string,
  generation: Generation,
  start: number,
  changes: FolderChanges | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogStep, void, undefined> {
  await using file = await openGeneration(generation);
  if (file === undefined) return;
  const { number } = generation;
  const lines = new LineSplitter();
  const parser = new LogLineParser();
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let offset = start;
  let last = false;
  for (;;) {
    if (signal.aborted) return;
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
    offset += bytesRead;
    const parts: LogRecord[] = [];
    for (const line of lines.push(buffer.subarray(0, bytesRead))) {
      const part = parser.parse(line);
      if (part !== undefined) parts.push(part);
    }
    const next = { generation: number, offset: start + lines.consumedBytes };
    if (parts.length > 0) yield { parts, next };
    if (bytesRead > 0) continue;
    if (last) return;
    // Once the next file has content, or the writer is gone, this one is complete: one more look, then on.
    last = await hasContent(logGenerations(folder), number + 1);
    if (last) continue;
    yield 'idle';
    last = changes === undefined || !(await changes.next(signal));
  }
}

async function hasContent(generations: readonly Generation[], from: number): Promise<boolean> {
  for (const generation of generations) {
    if (generation.number < from) continue;
    if (generation.compressed) return true;
    await using file = await openGeneration(generation);
    if (file !== undefined && (await file.stat()).size > 0) return true;
  }
  return false;
}
