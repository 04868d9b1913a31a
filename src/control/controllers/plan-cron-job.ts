import { parseCron } from '#formats/cron.ts';
import type { CronJob } from '#kube/types/gen/batch-v1.ts';

import { nextCronTime } from './cron-times.ts';

export interface CronPlan {
  /** The time whose job is to be started now. */
  readonly dueMs?: number;
  /** That it came too late for the time before. */
  readonly isTooLate?: boolean;
  readonly missed: number;
  readonly nextMs?: number;
}

const missedMost = 100;

/**
 * Which of a schedule's times is to be served now: the latest that passed since the last one served, as long as its
 * deadline allows. Throws InvalidArgument for a schedule that cannot be read.
 */
export function planCronJob(cronJob: CronJob, nowMs: number): CronPlan {
  const { spec = {}, status, metadata } = cronJob;
  const cron = parseCron(spec.schedule ?? '');
  const zone = spec.timeZone ?? 'UTC';
  const deadlineMs = spec.startingDeadlineSeconds === undefined ? undefined : spec.startingDeadlineSeconds * 1000;
  const last = status?.lastScheduleTime ?? metadata.creationTimestamp ?? '';
  const lastMs = Date.parse(last) || nowMs;
  const fromMs = deadlineMs === undefined ? lastMs : Math.max(lastMs, nowMs - deadlineMs);
  let dueMs: number | undefined;
  let missed = 0;
  let at = nextCronTime(cron, fromMs, zone);
  while (at !== undefined && at <= nowMs) {
    dueMs = at;
    missed += 1;
    // Who was away for long need not count each minute of it: the last hours say which time is the latest.
    at = nextCronTime(cron, missed === missedMost + 1 ? Math.max(at, latestBefore(nowMs)) : at, zone);
  }
  // What the deadline hides was missed altogether.
  const hidden = dueMs === undefined && fromMs > lastMs ? nextCronTime(cron, lastMs, zone) : undefined;
  const isTooLate = hidden !== undefined && hidden <= fromMs;
  return {
    missed,
    ...(dueMs === undefined ? {} : { dueMs }),
    ...(isTooLate ? { isTooLate } : {}),
    ...(at === undefined ? {} : { nextMs: at }),
  };
}

function latestBefore(nowMs: number): number {
  return nowMs - 2 * 60 * 60_000;
}
