import type { ContainerStatus, Pod } from '#kube/types/gen/core-v1.ts';

import { isPodActive, isPodReady } from './pod-state.ts';

const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const phases: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Pods in the order in which they are given up: those that do least, cost least, stand where most of their like stand, and
 * are youngest come first (upstream's ActivePodsWithRanks). `related` are all pods of the same workload.
 */
export function victims(pods: readonly Pod[], related: readonly Pod[], nowMs: number): readonly Pod[] {
  const onNode = new Map<string, number>();
  for (const one of related) {
    const node = one.spec?.nodeName ?? '';
    if (isPodActive(one)) onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const ranks = pods.map((pod) => ({ pod, rank: onNode.get(pod.spec?.nodeName ?? '') ?? 0 }));
  return ranks.toSorted((one, other) => compare(one, other, nowMs)).map(({ pod }) => pod);
}

interface Ranked {
  readonly pod: Pod;
  readonly rank: number;
}

function compare({ pod: one, rank }: Ranked, { pod: other, rank: otherRank }: Ranked, nowMs: number): number {
  const by = (value: (pod: Pod) => number): number => value(one) - value(other);
  const areReady = isPodReady(one) && isPodReady(other);
  return (
    by((pod) => Number((pod.spec?.nodeName ?? '') !== '')) ||
    by((pod) => phases[pod.status?.phase ?? ''] ?? 0) ||
    by((pod) => Number(isPodReady(pod))) ||
    by(deletionCost) ||
    otherRank - rank ||
    (areReady ? byAge(one, other, readyMs, nowMs) : 0) ||
    -by((pod) => restarts(pod.status?.containerStatuses)) ||
    -by((pod) => restarts(pod.status?.initContainerStatuses, sidecarsOf(pod))) ||
    byAge(one, other, (pod) => timeMs(pod.metadata.creationTimestamp), nowMs)
  );
}

/** The younger first; of those whose ages have the same order of magnitude any, so that no zone loses all its pods. */
function byAge(one: Pod, other: Pod, since: (pod: Pod) => number, nowMs: number): number {
  const [ms, otherMs] = [since(one), since(other)];
  if (ms === otherMs) return 0;
  if (ms === 0 || otherMs === 0) return ms - otherMs;
  const magnitude = (time: number): number => (nowMs > time ? Math.floor(Math.log2((nowMs - time) * 1e6)) : -1);
  return magnitude(ms) - magnitude(otherMs) || ((one.metadata.uid ?? '') < (other.metadata.uid ?? '') ? -1 : 1);
}

function readyMs({ status }: Pod): number {
  return timeMs(
    status?.conditions?.find(({ type, status: is }) => type === 'Ready' && is === 'True')?.lastTransitionTime,
  );
}

function timeMs(text: string | null | undefined): number {
  return Date.parse(text ?? '') || 0;
}

function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[costAnnotation] ?? '';
  return /^(0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : 0;
}

function restarts(statuses: readonly ContainerStatus[] = [], only?: ReadonlySet<string>): number {
  const counted = statuses.filter(({ name = '' }) => only === undefined || only.has(name));
  return Math.max(0, ...counted.map(({ restartCount = 0 }) => restartCount));
}

function sidecarsOf({ spec }: Pod): ReadonlySet<string> {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return new Set(sidecars.map(({ name = '' }) => name));
}
