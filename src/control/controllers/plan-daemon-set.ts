import { scaledCount } from '#formats/int-or-percent.ts';
import type { DaemonSet, DaemonSetStatus } from '#kube/types/gen/apps-v1.ts';
import type { Node, Pod } from '#kube/types/gen/core-v1.ts';

import { nodeWants, targetOf } from './daemon-pod.ts';
import { availableAtMs, isPodGoing, isPodReady } from './pod-state.ts';
import { revisionLabel } from './revisions.ts';
import { withoutZeros } from './without-zeros.ts';

export interface DaemonPlan {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Those among them that failed. */
  readonly failed: readonly Pod[];
  /** Milliseconds until a pod that failed may be replaced. */
  readonly againAfterMs?: number;
}

/** How long a pod that failed stays at least: one that every node refuses must not be made in a loop. */
const failedMs = 10_000;

/** Which nodes get a pod and which pods go; `hash` is that of the template of today. */
export function planDaemonSet(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  hash: string,
  nowMs: number,
): DaemonPlan {
  const byNode = podsByNode(pods);
  const create: string[] = [];
  const remove: Pod[] = [];
  const failed: Pod[] = [];
  let waitMs = Infinity;
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const here = byNode.get(name) ?? [];
    byNode.delete(name);
    const { shouldRun, mayContinue } = nodeWants(set.spec?.template?.spec ?? {}, node);
    if (!mayContinue) remove.push(...here.filter((pod) => !isPodGoing(pod)));
    else if (here.length === 0) create.push(...(shouldRun ? [name] : []));
    else {
      const allEnded = here.filter((pod) => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded');
      const waits = allEnded.map((pod) => timeOf(pod) + failedMs - nowMs).filter((ms) => ms > 0);
      waitMs = Math.min(waitMs, ...waits);
      const ended = allEnded.filter((pod) => timeOf(pod) + failedMs <= nowMs);
      failed.push(...ended.filter((pod) => pod.status?.phase === 'Failed' && !isPodGoing(pod)));
      remove.push(...ended.filter((pod) => !isPodGoing(pod)));
      const running = here.filter((pod) => !allEnded.includes(pod) && !isPodGoing(pod));
      remove.push(...surplusOn(set, running, hash, nowMs));
    }
  }
  // Pods that wait for a node which is gone; those that were on one are others' to delete.
  const lost = [...byNode.values()].flat().filter((pod) => (pod.spec?.nodeName ?? '') === '' && !isPodGoing(pod));
  const plan = { create, remove: [...remove, ...lost], failed };
  const next = plan.create.length + plan.remove.length > 0 ? plan : rollOut(set, nodes, pods, hash, nowMs);
  return waitMs === Infinity ? next : { ...next, againAfterMs: waitMs };
}

export function daemonStatus(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  hash: string,
  nowMs: number,
): DaemonSetStatus {
  const byNode = podsByNode(pods);
  const tally = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const here = byNode.get(node.metadata.name ?? '') ?? [];
    const { shouldRun } = nodeWants(set.spec?.template?.spec ?? {}, node);
    if (!shouldRun) {
      tally.misscheduled += Number(here.length > 0);
      continue;
    }
    tally.desired += 1;
    tally.current += Number(here.length > 0);
    const [first] = here.toSorted((one, other) => timeOf(one) - timeOf(other));
    if (first === undefined) continue;
    tally.ready += Number(here.some(isPodReady));
    tally.available += Number(here.some((pod) => isAvailable(set, pod, nowMs)));
    tally.updated += Number(here.some((pod) => isUpdated(pod, hash)));
  }
  const { collisionCount = 0, conditions } = set.status ?? {};
  return {
    currentNumberScheduled: tally.current,
    numberMisscheduled: tally.misscheduled,
    desiredNumberScheduled: tally.desired,
    numberReady: tally.ready,
    ...withoutZeros({
      observedGeneration: set.metadata.generation ?? 0,
      updatedNumberScheduled: tally.updated,
      numberAvailable: tally.available,
      numberUnavailable: tally.desired - tally.available,
      collisionCount,
    }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}

/** Of several pods on a node one stays, the oldest; while pods surge one of each template does. */
function surplusOn(set: DaemonSet, running: readonly Pod[], hash: string, nowMs: number): readonly Pod[] {
  if (running.length <= 1) return [];
  const byAge = running.toSorted((one, other) => timeOf(one) - timeOf(other));
  if (limitsOf(set, 1).surge === 0) return byAge.slice(1);
  const [updated, ...moreUpdated] = byAge.filter((pod) => isUpdated(pod, hash));
  const [old, ...moreOld] = byAge.filter((pod) => !isUpdated(pod, hash));
  // A new pod that is well takes the old one's place; an old one that is not well has none to give.
  const isOver = updated !== undefined && old !== undefined && isAvailable(set, updated, nowMs);
  return [...moreUpdated, ...moreOld, ...(isOver ? [old] : [])];
}

/** Replaces pods of earlier templates, as many at a time as may be missing or come on top. */
function rollOut(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  hash: string,
  nowMs: number,
): DaemonPlan {
  const none = { create: [], remove: [], failed: [] };
  if (set.spec?.updateStrategy?.type === 'OnDelete') return none;
  const wanting = nodes.filter((node) => nodeWants(set.spec?.template?.spec ?? {}, node).shouldRun);
  const { surge, unavailable } = limitsOf(set, wanting.length);
  const byNode = podsByNode(pods);
  const here = wanting.map((node) => ({
    name: node.metadata.name ?? '',
    all: byNode.get(node.metadata.name ?? '') ?? [],
  }));
  const isWell = (pod: Pod): boolean => isAvailable(set, pod, nowMs) && !isPodGoing(pod);
  const outdated = here.filter(
    ({ all }) => all.some((pod) => !isPodGoing(pod)) && !all.some((pod) => isUpdated(pod, hash)),
  );
  const oldOf = (all: readonly Pod[]): readonly Pod[] => all.filter((pod) => !isPodGoing(pod));
  if (surge === 0) {
    const missing = here.filter(({ all }) => !all.some(isWell)).length;
    const broken = outdated.filter(({ all }) => !all.some(isWell));
    const well = outdated.filter(({ all }) => all.some(isWell)).slice(0, Math.max(unavailable - missing, 0));
    return { ...none, remove: [...broken, ...well].flatMap(({ all }) => oldOf(all)) };
  }
  const surging = here.filter(
    ({ all }) => all.some((pod) => isUpdated(pod, hash)) && all.some((pod) => !isUpdated(pod, hash)),
  );
  const broken = outdated.filter(({ all }) => !all.some(isWell));
  const well = outdated.filter(({ all }) => all.some(isWell));
  const room = Math.max(surge - surging.length, 0);
  return { ...none, create: [...broken, ...well.slice(0, room)].map(({ name }) => name) };
}

function limitsOf({ spec }: DaemonSet, nodes: number): { readonly surge: number; readonly unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 1 } = spec?.updateStrategy?.rollingUpdate ?? {};
  const surge = scaledCount(maxSurge, nodes, 'up') ?? 0;
  const unavailable = scaledCount(maxUnavailable, nodes, 'up') ?? 1;
  return { surge, unavailable: surge === 0 ? Math.max(unavailable, 1) : unavailable };
}

function podsByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const name = targetOf(pod) ?? '';
    byNode.set(name, [...(byNode.get(name) ?? []), pod]);
  }
  return byNode;
}

function isUpdated({ metadata }: Pod, hash: string): boolean {
  return metadata.labels?.[revisionLabel] === hash;
}

function isAvailable({ spec }: DaemonSet, pod: Pod, nowMs: number): boolean {
  return (availableAtMs(pod, spec?.minReadySeconds ?? 0) ?? Infinity) <= nowMs;
}

function timeOf({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}
