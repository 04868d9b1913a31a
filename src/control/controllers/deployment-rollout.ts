import { scaledCount } from '#formats/int-or-percent.ts';
import type { Deployment, ReplicaSet } from '#kube/types/gen/apps-v1.ts';

export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';

export interface Scale {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

export interface ReplicaLimits {
  readonly replicas: number;
  /** Pods beyond the replicas at most. */
  readonly maxSurge: number;
  /** Pods that may be missing. */
  readonly maxUnavailable: number;
}

/** How many pods there are to be, and how far a rollout may go from that. Both shares 0: one may be missing. */
export function replicaLimits({ spec = {} }: Deployment): ReplicaLimits {
  const { replicas = 1, strategy } = spec;
  if (strategy?.type === 'Recreate') return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = 0, maxUnavailable = 0 } = strategy?.rollingUpdate ?? {};
  const surge = scaledCount(maxSurge, replicas, 'up') ?? 0;
  const missing = scaledCount(maxUnavailable, replicas, 'down') ?? 0;
  const unavailable = surge === 0 && missing === 0 ? 1 : missing;
  return { replicas, maxSurge: surge, maxUnavailable: Math.min(unavailable, replicas) };
}

/** Replicas of the set of today's template: as many more as all sets together may have. */
export function newSetReplicas(deployment: Deployment, now: number, old: readonly ReplicaSet[]): number {
  const { replicas, maxSurge } = replicaLimits(deployment);
  if (deployment.spec?.strategy?.type === 'Recreate') return replicas;
  const room = replicas + maxSurge - (now + sumOf(old));
  return room <= 0 ? now : now + Math.min(room, replicas - now);
}

/** The next step from old sets to the one of today; none when there is nothing to do, or to be waited for. */
export function planRollout(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Scale[] {
  const { replicas, maxUnavailable } = replicaLimits(deployment);
  const now = replicasOf(current);
  const next = now > replicas ? replicas : newSetReplicas(deployment, now, old);
  if (next !== now) return [{ set: current, replicas: next }];
  const minAvailable = replicas - maxUnavailable;
  // What the new set lacks must not be taken for a reserve.
  const most = sumOf([...old, current]) - minAvailable - (now - availableOf(current));
  if (sumOf(old) === 0 || most <= 0) return [];
  const left = new Map(old.map((set) => [set, replicasOf(set)]));
  let toClean = most;
  // Pods that are not well give nothing: they go first.
  for (const set of old) {
    const count = Math.min(toClean, Math.max(replicasOf(set) - availableOf(set), 0));
    left.set(set, replicasOf(set) - count);
    toClean -= count;
  }
  let spare = old.reduce((sum, set) => sum + availableOf(set), availableOf(current)) - minAvailable;
  for (const set of old) {
    const has = left.get(set) ?? 0;
    const count = Math.max(Math.min(has, spare), 0);
    left.set(set, has - count);
    spare -= count;
  }
  return changes(left);
}

/** Old sets give up all their pods before the new one gets any. */
export function planRecreate(old: readonly ReplicaSet[]): Scale[] {
  return old.filter((set) => replicasOf(set) > 0).map((set) => ({ set, replicas: 0 }));
}

/** Gives a changed number of replicas to the sets that are there, each its share: a rollout goes neither on nor back. */
export function planScaling(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Scale[] {
  const { replicas, maxSurge } = replicaLimits(deployment);
  const all = current === undefined ? [...old] : [...old, current];
  const active = all.filter((set) => replicasOf(set) > 0);
  const only = active.length > 1 ? undefined : (active[0] ?? current ?? old.at(-1));
  if (only !== undefined) return [{ set: only, replicas }];
  if (current !== undefined && isSaturated(current, replicas)) return planRecreate(old);
  if (deployment.spec?.strategy?.type === 'Recreate') return [];
  const toAdd = (replicas > 0 ? replicas + maxSurge : 0) - sumOf(active);
  const newer = (one: ReplicaSet, other: ReplicaSet): number => timeOf(other) - timeOf(one);
  const sorted = active.toSorted(
    (one, other) => replicasOf(other) - replicasOf(one) || (toAdd > 0 ? newer(one, other) : newer(other, one)),
  );
  let added = 0;
  const sizes = sorted.map((set) => {
    const share = toAdd === added ? 0 : shareOf(set, deployment);
    const left = toAdd - added;
    const count = toAdd === 0 ? 0 : toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
    added += count;
    return { set, replicas: replicasOf(set) + count };
  });
  return sizes.map(({ set, replicas: size }, at) => ({
    set,
    replicas: at === 0 ? Math.max(size + toAdd - added, 0) : size,
  }));
}

export function replicasOf({ spec }: ReplicaSet): number {
  return spec?.replicas ?? 0;
}

function availableOf({ status }: ReplicaSet): number {
  return status?.availableReplicas ?? 0;
}

export function sumOf(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}

function isSaturated(current: ReplicaSet, replicas: number): boolean {
  const desired = current.metadata.annotations?.[desiredAnnotation];
  return replicasOf(current) === replicas && desired === String(replicas) && availableOf(current) === replicas;
}

/** By how much a set grows when all of them keep their proportions. */
function shareOf(set: ReplicaSet, deployment: Deployment): number {
  const { replicas, maxSurge } = replicaLimits(deployment);
  const now = replicasOf(set);
  if (replicas === 0) return -now;
  const annotated = Number(set.metadata.annotations?.[maxAnnotation] ?? '') || (deployment.status?.replicas ?? 0);
  return annotated === 0 ? 0 : Math.round((now * (replicas + maxSurge)) / annotated) - now;
}

function changes(left: ReadonlyMap<ReplicaSet, number>): Scale[] {
  return [...left]
    .filter(([set, replicas]) => replicas !== replicasOf(set))
    .map(([set, replicas]) => ({ set, replicas }));
}

function timeOf({ metadata }: ReplicaSet): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}
