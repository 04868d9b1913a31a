import type { Job, JobCondition } from '#kube/types/gen/batch-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { parseIndexes } from './job-indexes.ts';
import { failuresBefore, indexOf, type PodOrder } from './job-pod.ts';
import { tallyJob, type Tally } from './job-tally.ts';
import { isPodFinished, isPodGoing, isPodReady } from './pod-state.ts';

export interface JobPlan {
  readonly tally: Tally;
  /** Why the job is to end; its pods have to be gone before it has. */
  readonly verdict: Verdict | undefined;
  readonly create: readonly PodOrder[];
  readonly remove: readonly Pod[];
  readonly againAfterMs?: number;
}

export interface Verdict {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

const backoffMs = { first: 10_000, most: 600_000 };
const createdAtOnce = 500;

/** What is to be done for a job whose pods are these; looks at nothing else. */
export function planJob(job: Job, pods: readonly Pod[], nowMs: number): JobPlan {
  const before = verdictBefore(job);
  const tally = tallyJob(job, pods, before !== undefined);
  const verdict = before ?? decide(job, pods, tally, nowMs);
  const remove = verdict === undefined && job.spec?.suspend !== true ? surplus(job, tally) : tally.active;
  const deadlineMs = leftUntilDeadline(job, nowMs);
  const later = deadlineMs === undefined ? {} : { againAfterMs: Math.max(deadlineMs, 0) };
  if (verdict !== undefined) return { tally, verdict, create: [], remove };
  if (job.spec?.suspend === true) return { tally, verdict, create: [], remove };
  const { create, waitMs } =
    job.spec?.completionMode === 'Indexed' ? missingIndexes(job, pods, tally, nowMs) : missing(job, pods, tally, nowMs);
  const waits = [waitMs, deadlineMs].filter((ms) => ms !== undefined && ms > 0) as number[];
  return { tally, verdict, create, remove, ...(waits.length === 0 ? later : { againAfterMs: Math.min(...waits) }) };
}

/** What was decided at an earlier look. */
function verdictBefore({ status }: Job): Verdict | undefined {
  const of = (wanted: string): JobCondition | undefined =>
    status?.conditions?.find(({ type, status: is }) => type === wanted && is === 'True');
  const failure = of('FailureTarget');
  const success = of('SuccessCriteriaMet');
  const { reason = '', message = '' } = failure ?? success ?? {};
  if (failure !== undefined) return { type: 'Failed', reason, message };
  return success === undefined ? undefined : { type: 'Complete', reason, message };
}

function decide(job: Job, pods: readonly Pod[], tally: Tally, nowMs: number): Verdict | undefined {
  const { spec = {} } = job;
  const { succeeded, active, failedIndexes, completedIndexes, failed } = tally;
  const fail = (reason: string, message: string): Verdict => ({ type: 'Failed', reason, message });
  if (tally.failJob !== undefined) return fail('PodFailurePolicy', tally.failJob);
  const rule = successRule(job, completedIndexes);
  if (rule !== undefined)
    return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${String(rule)}` };
  const isLimited = spec.backoffLimitPerIndex !== undefined;
  if (isLimited && spec.maxFailedIndexes !== undefined && failedIndexes.size > spec.maxFailedIndexes)
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  const limit = spec.backoffLimit ?? 6;
  if (failed > limit || restartsExceed(job, pods, limit))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const left = leftUntilDeadline(job, nowMs);
  if (left !== undefined && left <= 0) return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  if (isLimited && failedIndexes.size > 0 && failedIndexes.size + completedIndexes.size >= (spec.completions ?? 0))
    return fail('FailedIndexes', 'Job has failed indexes');
  const isComplete =
    spec.completions === undefined
      ? succeeded > 0 && active.length === 0
      : succeeded >= spec.completions && spec.suspend !== true;
  const message = 'Reached expected number of succeeded pods';
  return isComplete ? { type: 'Complete', reason: 'CompletionsReached', message } : undefined;
}

/** Restarts in place count against the limit, too. */
function restartsExceed({ spec }: Job, pods: readonly Pod[], limit: number): boolean {
  if (spec?.template?.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function leftUntilDeadline({ spec, status }: Job, nowMs: number): number | undefined {
  const seconds = spec?.activeDeadlineSeconds;
  if (seconds === undefined || status?.startTime === undefined || spec?.suspend === true) return undefined;
  return Date.parse(status.startTime) + seconds * 1000 - nowMs;
}

function successRule({ spec }: Job, completed: ReadonlySet<number>): number | undefined {
  const found = (spec?.successPolicy?.rules ?? []).findIndex(({ succeededCount, succeededIndexes }) => {
    const asked = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, spec?.completions ?? 0);
    const met = asked === undefined ? completed.size : asked.intersection(completed).size;
    return met >= (succeededCount ?? asked?.size ?? Infinity);
  });
  return found < 0 ? undefined : found;
}

/** Active pods that are too many, or of an index that others have; those that lose least go first. */
function surplus(job: Job, tally: Tally): readonly Pod[] {
  const least = (one: Pod, other: Pod): number =>
    Number(one.spec?.nodeName !== undefined) - Number(other.spec?.nodeName !== undefined) ||
    Number(isPodReady(one)) - Number(isPodReady(other)) ||
    Date.parse(other.metadata.creationTimestamp ?? '') - Date.parse(one.metadata.creationTimestamp ?? '') ||
    0;
  const { completedIndexes, failedIndexes } = tally;
  const useless: Pod[] = [];
  const useful: Pod[] = [];
  const seen = new Set<number>();
  for (const pod of tally.active.toSorted(least).toReversed()) {
    const index = indexOf(pod);
    const isIndexed = job.spec?.completionMode === 'Indexed';
    const isOver = index === undefined || index >= (job.spec?.completions ?? 0) || seen.has(index);
    const isDone = index !== undefined && (completedIndexes.has(index) || failedIndexes.has(index));
    (isIndexed && (isOver || isDone) ? useless : useful).push(pod);
    if (index !== undefined) seen.add(index);
  }
  return [...useless, ...useful.slice(Math.max(wantedActive(job, tally), 0))];
}

function wantedActive({ spec = {} }: Job, { succeeded, active, failedIndexes }: Tally): number {
  const parallelism = spec.parallelism ?? 1;
  if (spec.completions === undefined) return succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.min(spec.completions - succeeded - failedIndexes.size, parallelism);
}

interface Missing {
  readonly create: readonly PodOrder[];
  readonly waitMs?: number;
}

function missing(job: Job, pods: readonly Pod[], tally: Tally, nowMs: number): Missing {
  const count = room(job, tally);
  if (count <= 0) return { create: [] };
  const waitMs = backoffLeft(pods, nowMs);
  return waitMs > 0 ? { create: [], waitMs } : { create: Array.from({ length: count }, () => ({})) };
}

/** The lowest indexes that nobody works on, each after the pause that its own failures ask for. */
function missingIndexes(job: Job, pods: readonly Pod[], tally: Tally, nowMs: number): Missing {
  const { completions = 0, backoffLimitPerIndex, podReplacementPolicy } = job.spec ?? {};
  const count = room(job, tally);
  const busy = new Set<number | undefined>(tally.active.map(indexOf));
  if (podReplacementPolicy === 'Failed')
    for (const pod of pods) if (isPodGoing(pod) && !isPodFinished(pod)) busy.add(indexOf(pod));
  const perIndex = backoffLimitPerIndex !== undefined;
  const commonMs = perIndex ? 0 : backoffLeft(pods, nowMs);
  if (count > 0 && commonMs > 0) return { create: [], waitMs: commonMs };
  const create: PodOrder[] = [];
  let waitMs: number | undefined;
  for (let index = 0; index < completions && create.length < count; index += 1) {
    if (busy.has(index) || tally.completedIndexes.has(index) || tally.failedIndexes.has(index)) continue;
    if (!perIndex) create.push({ index });
    else {
      const failed = pods.filter(
        (pod) => indexOf(pod) === index && (pod.status?.phase === 'Failed' || isPodGoing(pod)),
      );
      const failures = failed.reduce((most, pod) => Math.max(most, failuresBefore(pod) + 1), 0);
      const leftMs = failures === 0 ? 0 : lastEndMs(failed) + pauseMs(failures) - nowMs;
      if (leftMs > 0) waitMs = Math.min(waitMs ?? Infinity, leftMs);
      else create.push({ index, failures });
    }
  }
  return { create, ...(waitMs === undefined ? {} : { waitMs }) };
}

function room(job: Job, tally: Tally): number {
  const waiting = job.spec?.podReplacementPolicy === 'Failed' ? tally.terminating : 0;
  const count = wantedActive(job, tally) - tally.active.length - waiting;
  return Math.min(count, createdAtOnce);
}

/** What is left of the pause after failures in a row since the last success. */
function backoffLeft(pods: readonly Pod[], nowMs: number): number {
  const succeeded = pods.filter(({ status }) => status?.phase === 'Succeeded');
  const lastSuccessMs = succeeded.length === 0 ? 0 : lastEndMs(succeeded);
  const failed = pods.filter((pod) => pod.status?.phase === 'Failed' && lastEndMs([pod]) > lastSuccessMs);
  return failed.length === 0 ? 0 : lastEndMs(failed) + pauseMs(failed.length) - nowMs;
}

function pauseMs(failures: number): number {
  return Math.min(backoffMs.first * 2 ** (failures - 1), backoffMs.most);
}

/** When the last container of these ended, as far as they say. */
function lastEndMs(pods: readonly Pod[]): number {
  return pods.reduce((latest, { status, metadata }) => {
    const ends = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt);
    const known = ends.filter((time) => typeof time === 'string').map((time) => Date.parse(time));
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
    const otherwise = Date.parse(ready ?? metadata.deletionTimestamp ?? metadata.creationTimestamp ?? '') || 0;
    return Math.max(latest, known.length === 0 ? otherwise : Math.max(...known));
  }, 0);
}
