import { deadline, nowNs } from '#base/clock.ts';

import type { LogQuery, LogRecord } from './container-log.ts';
import { PartJoiner } from './join-parts.ts';
import { logGenerations } from './log-files.ts';
import { findTail, type LogPosition } from './log-tail.ts';
import { type LogSource, readSteps } from './read-steps.ts';

/** Timers hold no more than this. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The records of a log, oldest first, in pieces as they were read, each of which is there until the next is asked for; with
 * `follow` those that are written later too, across rotations. Ends quietly when the signal aborts.
 */
export async function* readLog(
  source: LogSource,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const { untilNs } = query;
  const finished = untilNs === undefined ? source.finished : finishedAt(untilNs, source.finished);
  for await (const records of wholeLines({ ...source, finished }, query, signal)) {
    const late = untilNs === undefined ? -1 : records.findIndex(({ timeNs }) => timeNs > untilNs);
    const asked = chosen(late < 0 ? records : records.slice(0, late), query);
    if (asked.length > 0) yield asked;
    if (late >= 0) return;
  }
}

function chosen(records: readonly LogRecord[], query: LogQuery): readonly LogRecord[] {
  const { sinceNs, stdout, stderr } = query;
  if (sinceNs === undefined && stdout && stderr) return records;
  return records.filter((one) => (sinceNs === undefined || one.timeNs >= sinceNs) && query[one.stream]);
}

/** The last ones may be unfinished. */
async function* wholeLines(
  source: LogSource,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const joiner = new PartJoiner();
  for await (const step of readSteps(source, await startOf(source, query), query.follow, signal))
    if (step !== 'idle') yield joiner.join(step.parts);
  if (!signal.aborted) yield [...joiner.end()];
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
