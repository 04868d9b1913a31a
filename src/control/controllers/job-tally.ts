import type { Job } from '#kube/types/gen/batch-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { indexesText, parseIndexes } from './job-indexes.ts';
import { judgeFailure } from './job-failure-policy.ts';
import { failuresBefore, indexOf, trackingFinalizer } from './job-pod.ts';
import { isPodFinished, isPodGoing, isPodReady } from './pod-state.ts';

/** What a job's pods and its status come to. */
export interface Tally {
  readonly active: readonly Pod[];
  readonly terminating: number;
  readonly ready: number;
  /** Counted, and about to be: those in `uncounted`. */
  readonly succeeded: number;
  readonly failed: number;
  /** Without those in `uncounted`. */
  readonly counted: { readonly succeeded: number; readonly failed: number };
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Pods whose finalizer is to go once the status shows them. */
  readonly release: readonly Pod[];
  /** Why a rule wants the job to fail. */
  readonly failJob: string | undefined;
}

/**
 * Counts each pod once. A pod that ended goes into the status as uncounted; then it loses its finalizer; a pod that is
 * uncounted and has lost it is counted for good. Whenever this stops in between, it goes on from what the status says.
 */
export function tallyJob(job: Job, pods: readonly Pod[], isEnding: boolean): Tally {
  const { spec = {}, status = {} } = job;
  const isIndexed = spec.completionMode === 'Indexed';
  const completions = spec.completions ?? 0;
  const completedIndexes = isIndexed ? parseIndexes(status.completedIndexes, completions) : new Set<number>();
  const failedIndexes = isIndexed ? parseIndexes(status.failedIndexes, completions) : new Set<number>();
  const counted = { succeeded: status.succeeded ?? 0, failed: status.failed ?? 0 };
  const before = {
    succeeded: status.uncountedTerminatedPods?.succeeded,
    failed: status.uncountedTerminatedPods?.failed,
  };
  const tracked = new Set(pods.filter(isTracked).map(uidOf));
  const uncounted = { succeeded: [] as string[], failed: [] as string[] };
  for (const what of ['succeeded', 'failed'] as const) {
    for (const uid of before[what] ?? []) {
      if (tracked.has(uid)) uncounted[what].push(uid);
      else counted[what] += 1;
    }
  }
  const known = new Set([...uncounted.succeeded, ...uncounted.failed]);
  const release: Pod[] = [];
  let failJob: string | undefined;
  for (const pod of pods.filter(isTracked)) {
    const uid = uidOf(pod);
    const index = indexOf(pod);
    const isOutside = isIndexed && (index === undefined || index >= completions);
    if (pod.status?.phase === 'Succeeded') {
      release.push(pod);
      if (isIndexed && !isOutside) completedIndexes.add(index ?? 0);
      else if (!isIndexed && !known.has(uid)) uncounted.succeeded.push(uid);
    } else if (hasFailed(pod, job) || (isEnding && isPodGoing(pod))) {
      release.push(pod);
      if (known.has(uid) || isOutside) continue;
      const verdict = judgeFailure(pod.status?.phase === 'Failed' ? spec.podFailurePolicy : undefined, pod);
      if (verdict.action === 'FailJob') failJob ??= verdict.message;
      if (verdict.action !== 'Ignore') uncounted.failed.push(uid);
      const limit = spec.backoffLimitPerIndex;
      const isLast = limit !== undefined && verdict.action !== 'Ignore' && failuresBefore(pod) >= limit;
      if (index !== undefined && (verdict.action === 'FailIndex' || isLast)) failedIndexes.add(index);
    }
  }
  for (const index of completedIndexes) failedIndexes.delete(index);
  const active = pods.filter((pod) => !isPodFinished(pod) && !isPodGoing(pod));
  const succeeded = isIndexed ? completedIndexes.size : counted.succeeded + uncounted.succeeded.length;
  return {
    active,
    terminating: pods.filter((pod) => isPodGoing(pod) && !isPodFinished(pod)).length,
    ready: active.filter(isPodReady).length,
    succeeded,
    failed: counted.failed + uncounted.failed.length,
    counted: { succeeded: isIndexed ? succeeded : counted.succeeded, failed: counted.failed },
    uncounted,
    completedIndexes,
    failedIndexes,
    release,
    failJob,
  };
}

/** A pod that goes counts as failed at once, unless the job wants to replace only those that have ended. */
function hasFailed(pod: Pod, { spec }: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return spec?.podReplacementPolicy !== 'Failed' && isPodGoing(pod);
}

/** The fields of the status that follow from a tally. */
export function statusOfTally(tally: Tally, { spec }: Job): Record<string, unknown> {
  const { counted, uncounted, active, ready, terminating, completedIndexes, failedIndexes } = tally;
  const none = (count: number): number | undefined => (count === 0 ? undefined : count);
  const isEmpty = uncounted.succeeded.length + uncounted.failed.length === 0;
  return {
    active: none(active.length),
    ready,
    terminating,
    succeeded: none(counted.succeeded),
    failed: none(counted.failed),
    completedIndexes: completedIndexes.size === 0 ? undefined : indexesText(completedIndexes),
    failedIndexes: spec?.backoffLimitPerIndex === undefined ? undefined : indexesText(failedIndexes),
    uncountedTerminatedPods: isEmpty
      ? {}
      : {
          ...(uncounted.succeeded.length === 0 ? {} : { succeeded: uncounted.succeeded }),
          ...(uncounted.failed.length === 0 ? {} : { failed: uncounted.failed }),
        },
  };
}

function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

function uidOf({ metadata }: Pod): string {
  return metadata.uid ?? '';
}
