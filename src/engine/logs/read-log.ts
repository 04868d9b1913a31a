import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { deadline, nowNs, sleep } from '#base/clock.ts';
import { hasCode } from '#sys/errno.ts';

import type { LogQuery, LogRecord } from './container-log.ts';
import { PartJoiner } from './join-parts.ts';
import { type Generation, logGenerations } from './log-files.ts';
import { LineSplitter, parseLogLine } from './log-format.ts';
import { findTail, type LogPosition } from './log-tail.ts';

const chunkBytes = 64 * 1024;
/** A look without being woken, in case a wake-up was lost. */
const idleLookMs = 1000;
/** Timers hold no more than this. */
const longestTimerMs = 2 ** 31 - 1;

export interface LogSource {
  readonly folder: string;
  /** Aborts when nothing will be written any more; what is there is read to its end then. */
  readonly finished: AbortSignal;
}

/**
 * The records of a log, oldest first; with `follow` those that are written later too, across rotations. Ends quietly when
 * the signal aborts.
 */
export async function* readLog(
  source: LogSource,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, undefined> {
  const { folder } = source;
  const finished = query.untilNs === undefined ? source.finished : finishedAt(query.untilNs, source.finished);
  // Before the first look, so that nothing falls between looking and waiting.
  using changes = query.follow ? new FolderChanges({ folder, finished }) : undefined;
  const parts = records(source, changes, await startOf(source, query), signal);
  for await (const record of whole(parts, signal)) {
    if (query.untilNs !== undefined && record.timeNs > query.untilNs) return;
    if (query.sinceNs !== undefined && record.timeNs < query.sinceNs) continue;
    if (record.stream === 'stdout' ? query.stdout : query.stderr) yield record;
  }
}

/** Whole lines; the last ones may be unfinished. */
async function* whole(
  parts: AsyncIterable<LogRecord>,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, undefined> {
  const joiner = new PartJoiner();
  for await (const part of parts) yield* joiner.push(part);
  if (!signal.aborted) yield* joiner.end();
}

function finishedAt(untilNs: bigint, finished: AbortSignal): AbortSignal {
  const restMs = Number((untilNs - nowNs()) / 1_000_000n) + 1;
  return deadline(Math.min(Math.max(restMs, 0), longestTimerMs), finished);
}

async function startOf(source: LogSource, query: LogQuery): Promise<LogPosition> {
  const generations = logGenerations(source.folder);
  if (query.tail !== undefined) return findTail(generations, query.tail, query);
  return { generation: generations[0]?.number ?? 0, offset: 0 };
}

async function* records(
  source: LogSource,
  changes: FolderChanges | undefined,
  start: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, undefined> {
  let { generation: number, offset } = start;
  for (;;) {
    const generation = logGenerations(source.folder).find((candidate) => candidate.number >= number);
    if (generation === undefined) {
      if (changes === undefined || !(await changes.next(signal))) return;
      continue;
    }
    yield* readGeneration(source, generation, generation.number === number ? offset : 0, changes, signal);
    if (signal.aborted) return;
    number = generation.number + 1;
    offset = 0;
    if (!(await hasContent(logGenerations(source.folder), number))) return;
  }
}

/** Reads one file to its end; ends when a later one has content or nothing more is to come. */
async function* readGeneration(
  source: LogSource,
  generation: Generation,
  start: number,
  changes: FolderChanges | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, undefined> {
  await using file = await openIfThere(generation.path);
  if (file === undefined) return;
  const lines = new LineSplitter();
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let offset = start;
  let last = false;
  for (;;) {
    if (signal.aborted) return;
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
    offset += bytesRead;
    for (const line of lines.push(Buffer.from(buffer.subarray(0, bytesRead)))) {
      const record = parseLogLine(line);
      if (record !== undefined) yield record;
    }
    if (bytesRead > 0) continue;
    if (last) return;
    // Once the next file has content, or the writer is gone, this one is complete: one more look, then on.
    last = await hasContent(logGenerations(source.folder), generation.number + 1);
    if (!last) last = changes === undefined || !(await changes.next(signal));
  }
}

async function hasContent(generations: readonly Generation[], from: number): Promise<boolean> {
  for (const generation of generations) {
    if (generation.number < from) continue;
    await using file = await openIfThere(generation.path);
    if (file !== undefined && (await file.stat()).size > 0) return true;
  }
  return false;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Wakes a reader when something in a folder changed. */
class FolderChanges implements Disposable {
  readonly #finished: AbortSignal;
  readonly #watcher: FSWatcher | undefined;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(source: LogSource) {
    this.#finished = source.finished;
    this.#watcher = watchIfPossible(source.folder, () => {
      this.#changed = true;
      this.#wake?.();
    });
  }

  /** Waits for a change; false when no more is to come. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (this.#finished.aborted || signal.aborted) return false;
    if (!this.#changed) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const either = AbortSignal.any([woken.signal, this.#finished, signal]);
      await sleep(idleLookMs, either).catch(() => {});
    }
    this.#changed = false;
    this.#wake = undefined;
    return true;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}

function watchIfPossible(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    // No inotify watches left: the idle look finds changes, a little later.
    return undefined;
  }
}
