import { scaledCount } from '#formats/int-or-percent.ts';
import type { StatefulSet, StatefulSetStatus } from '#kube/types/gen/apps-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { availableAtMs, isPodFinished, isPodGoing, isPodReady } from './pod-state.ts';
import { revisionLabel } from './revisions.ts';
import { ordinalOf } from './stateful-pod.ts';

export type StatefulStep =
  | { readonly step: 'create'; readonly ordinal: number; readonly revision: string }
  | { readonly step: 'delete'; readonly pod: Pod; readonly why: 'ended' | 'surplus' | 'outdated' };

interface RevisionNames {
  readonly current: string;
  readonly update: string;
}

/** What a set does next with its pods; in order, one waits until those before it are well. */
export function planStatefulSet(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: RevisionNames,
  nowMs: number,
): readonly StatefulStep[] {
  const isOrdered = set.spec?.podManagementPolicy !== 'Parallel';
  const isWell = (pod: Pod | undefined): boolean => pod !== undefined && isAvailable(set, pod, nowMs);
  const { wanted, surplus } = sorted(set, pods);
  const steps: StatefulStep[] = [];
  for (const [ordinal, pod] of wanted) {
    if (pod === undefined) steps.push({ step: 'create', ordinal, revision: revisionFor(set, ordinal, revisions) });
    else if (isPodFinished(pod) && !isPodGoing(pod)) steps.push({ step: 'delete', pod, why: 'ended' });
    else if (!isOrdered || (isWell(pod) && !isPodGoing(pod))) continue;
    if (isOrdered) return steps;
  }
  const all = [...wanted.values(), ...surplus.toReversed()];
  const firstUnwell = all.find((pod) => pod !== undefined && (!isPodReady(pod) || isPodGoing(pod)));
  for (const pod of surplus) {
    if (isPodGoing(pod) && !isOrdered) continue;
    if (isOrdered && (isPodGoing(pod) || (!isWell(pod) && pod !== firstUnwell))) return steps;
    steps.push({ step: 'delete', pod, why: 'surplus' });
    if (isOrdered) return steps;
  }
  return [...steps, ...updates(set, wanted, revisions, isWell)];
}

/** The status that follows from the pods. */
export function statefulStatus(
  set: StatefulSet,
  pods: readonly Pod[],
  { current, update }: RevisionNames,
  nowMs: number,
): StatefulSetStatus {
  const replicas = set.spec?.replicas ?? 1;
  const count = (is: (pod: Pod) => boolean): number => pods.filter(is).length;
  const of = (revision: string) => (pod: Pod) => !isPodGoing(pod) && revisionOf(pod) === revision;
  const ready = count((pod) => pod.status?.phase === 'Running' && isPodReady(pod));
  const updated = count(of(update));
  const isDone =
    set.spec?.updateStrategy?.type !== 'OnDelete' &&
    updated === replicas &&
    pods.length === replicas &&
    ready === replicas;
  const currentRevision = isDone ? update : current;
  const { collisionCount = 0, conditions } = set.status ?? {};
  const ofCurrent = isDone ? updated : count(of(current));
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(ofCurrent === 0 ? {} : { currentReplicas: ofCurrent }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    availableReplicas: count((pod) => isAvailable(set, pod, nowMs)),
    currentRevision,
    updateRevision: update,
    collisionCount,
    ...(conditions === undefined ? {} : { conditions }),
  };
}

/** Pods by the ordinals that there shall be, and those of others, the highest first. */
function sorted(set: StatefulSet, pods: readonly Pod[]) {
  const { replicas = 1, ordinals } = set.spec ?? {};
  const start = ordinals?.start ?? 0;
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
  const wanted = new Map(Array.from({ length: replicas }, (_, at) => [start + at, byOrdinal.get(start + at)] as const));
  const surplus = [...byOrdinal]
    .filter(([ordinal]) => !wanted.has(ordinal))
    .toSorted(([one], [other]) => other - one)
    .map(([, pod]) => pod);
  return { wanted, surplus };
}

/** Pods of an earlier revision that go now, from the highest ordinal to the partition. */
function updates(
  set: StatefulSet,
  wanted: ReadonlyMap<number, Pod | undefined>,
  { update }: RevisionNames,
  isWell: (pod: Pod | undefined) => boolean,
): StatefulStep[] {
  const { updateStrategy, replicas = 1 } = set.spec ?? {};
  if (updateStrategy?.type === 'OnDelete') return [];
  const { partition = 0, maxUnavailable = 1 } = updateStrategy?.rollingUpdate ?? {};
  const start = set.spec?.ordinals?.start ?? 0;
  const most = Math.max(scaledCount(maxUnavailable, replicas, 'down') ?? 1, 1);
  const targets = [...wanted].filter(([ordinal]) => ordinal >= start + partition).toReversed();
  const steps: StatefulStep[] = [];
  let unwell = 0;
  for (const [, pod] of targets) {
    if (unwell >= most) break;
    if (pod !== undefined && !isPodGoing(pod) && revisionOf(pod) !== update) {
      steps.push({ step: 'delete', pod, why: 'outdated' });
      unwell += 1;
    } else if (!isWell(pod) || (pod !== undefined && isPodGoing(pod))) unwell += 1;
  }
  return steps;
}

/** Pods below the partition are made of what was before. */
function revisionFor(set: StatefulSet, ordinal: number, { current, update }: RevisionNames): string {
  const { updateStrategy, ordinals } = set.spec ?? {};
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  return updateStrategy?.type !== 'OnDelete' && ordinal < (ordinals?.start ?? 0) + partition ? current : update;
}

function isAvailable({ spec }: StatefulSet, pod: Pod, nowMs: number): boolean {
  return pod.status?.phase === 'Running' && (availableAtMs(pod, spec?.minReadySeconds ?? 0) ?? Infinity) <= nowMs;
}

function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[revisionLabel] ?? '';
}
