import { matchesLabels, selectionOfMap } from '#kube/selectors/label-selector.ts';
import type { ReplicaSet, ReplicaSetStatus } from '#kube/types/gen/apps-v1.ts';
import type { Pod, ReplicationController } from '#kube/types/gen/core-v1.ts';

import { availableAtMs, isPodReady } from './pod-state.ts';
import { timeText } from './record-event.ts';

/** What keeps a number of pods of one template. */
export type Replicated = ReplicaSet | ReplicationController;

export interface ReplicaOutcome {
  /** Why pods could not be made or deleted. */
  readonly failure?: Error;
  /** Pods that were there less those that were wanted, when that was tried. */
  readonly surplus: number;
}

/** The status that follows from the pods that are there. */
export function replicaStatus(
  one: Replicated,
  pods: readonly Pod[],
  { failure, surplus }: ReplicaOutcome,
  nowMs: number,
): ReplicaSetStatus {
  const { minReadySeconds = 0, template } = one.spec ?? {};
  const labels = selectionOfMap(template?.metadata?.labels);
  const isAvailable = (pod: Pod): boolean => (availableAtMs(pod, minReadySeconds) ?? Infinity) <= nowMs;
  const type = 'ReplicaFailure';
  const old = one.status?.conditions ?? [];
  const others = old.filter((condition) => condition.type !== type);
  const known = old.filter((condition) => condition.type === type);
  const made = (error: Error) => ({
    type,
    status: 'True',
    lastTransitionTime: timeText(nowMs),
    reason: surplus < 0 ? 'FailedCreate' : 'FailedDelete',
    message: error.message,
  });
  const failed = failure === undefined ? [] : known.length > 0 ? known : [made(failure)];
  const conditions = [...others, ...failed];
  return {
    replicas: pods.length,
    fullyLabeledReplicas: pods.filter(({ metadata }) => matchesLabels(labels, metadata.labels)).length,
    readyReplicas: pods.filter(isPodReady).length,
    availableReplicas: pods.filter(isAvailable).length,
    observedGeneration: one.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** Milliseconds until the next of the pods has been ready long enough. */
export function nextAvailableMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  const waits = pods.map((pod) => (availableAtMs(pod, minReadySeconds) ?? 0) - nowMs).filter((ms) => ms > 0);
  const least = Math.min(...waits);
  return Number.isFinite(least) ? least : undefined;
}
