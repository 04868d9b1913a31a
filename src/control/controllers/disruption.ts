import { isEqualJson } from '#base/json.ts';
import { type IntOrPercent, percentOf, scaledCount } from '#formats/int-or-percent.ts';
import { keyOf, kindOf, type KindOf, type ObjectKey } from '#kube/client/client.ts';
import { deployment } from '#kube/kinds/apps/deployment.ts';
import { replicaSet } from '#kube/kinds/apps/replica-set.ts';
import { statefulSet } from '#kube/kinds/apps/stateful-set.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import { replicationController } from '#kube/kinds/core/replication-controller.ts';
import { podDisruptionBudget } from '#kube/kinds/policy/pod-disruption-budget.ts';
import type { Resource } from '#kube/resource.ts';
import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';
import type { PodDisruptionBudget } from '#kube/types/gen/policy-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { isPodFinished, isPodGoing, isPodReady } from './pod-state.ts';
import { events, recordEvent, timeText } from './record-event.ts';

const budgets = kindOf<PodDisruptionBudget>(podDisruptionBudget);
const pods = kindOf<Pod>(pod);
const scaled: readonly KindOf[] = [deployment, replicaSet, statefulSet, replicationController].map((kind) =>
  kindOf(kind),
);
/** How long a pod that an eviction was granted for may take to be seen going. */
const deletionMs = 120_000;

type Budgets = World<PodDisruptionBudget>;

/** Says of each budget how many of its pods may be evicted now; the eviction itself asks the API server. */
export const disruptionController: Controller<PodDisruptionBudget> = {
  name: 'disruption',
  primary: budgets,
  inputs: [inputOf(pods, budgetsOf), ...scaled.map((kind) => inputOf(kind, budgetsIn))],
  outputs: [budgets, events],
  reconcile,
};

async function reconcile(key: ObjectKey, world: Budgets, signal: AbortSignal): Promise<Outcome> {
  const budget = world.primary.get(key);
  if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return {};
  const nowMs = world.nowMs();
  const of = world
    .informer(pods)
    .list(key.namespace)
    .filter((one) => matchesLabels(selectionOfBudget(budget), one.metadata.labels) && !isPodFinished(one));
  const { expected, desired, isUnmanaged } = wanted(budget, of, (one) => replicasBehind(one, world));
  const { disrupted, againAfterMs } = stillDisrupted(budget, of, nowMs);
  const healthy = of.filter(
    (one) => isPodReady(one) && !isPodGoing(one) && disrupted[one.metadata.name ?? ''] === undefined,
  );
  const allowed = expected <= 0 ? 0 : Math.max(healthy.length - desired, 0);
  const status = {
    ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
    currentHealthy: healthy.length,
    desiredHealthy: desired,
    disruptionsAllowed: allowed,
    expectedPods: expected,
    observedGeneration: budget.metadata.generation ?? 0,
    conditions: conditionsOf(budget, allowed, nowMs),
  };
  if (!isEqualJson(budget.status ?? {}, status)) {
    if (of.length === 0) await tell('Normal', 'NoPods', 'No matching pods found');
    if (isUnmanaged) await tell('Warning', 'UnmanagedPods', unmanagedText(budget));
    await world.client.update(budgets, { ...budget, status }, { subresource: 'status' }, signal);
  }
  return againAfterMs === undefined ? {} : { againAfterMs };

  async function tell(type: 'Normal' | 'Warning', reason: string, message: string): Promise<void> {
    await recordEvent(world.client, 'controllermanager', budget as Resource, { type, reason, message }, nowMs, signal);
  }
}

/** How many pods there are to be, and how many of them have to stay well. */
function wanted(
  { spec = {} }: PodDisruptionBudget,
  of: readonly Pod[],
  replicasOf: (one: Pod) => readonly [uid: string, replicas: number] | undefined,
): { readonly expected: number; readonly desired: number; readonly isUnmanaged: boolean } {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable === undefined && (minAvailable === undefined || percentOf(minAvailable) === undefined))
    return { expected: of.length, desired: Number(minAvailable ?? 1), isUnmanaged: false };
  const replicas = of.map(replicasOf);
  const expected = [...new Map(replicas.filter((one) => one !== undefined)).values()].reduce(
    (sum, one) => sum + one,
    0,
  );
  const least = (value: IntOrPercent): number => scaledCount(value, expected, 'up') ?? 0;
  const desired =
    maxUnavailable === undefined ? least(minAvailable ?? 0) : Math.max(expected - least(maxUnavailable), 0);
  return { expected, desired, isUnmanaged: replicas.includes(undefined) };
}

/** The outermost thing that keeps pods like this one, and how many it keeps. */
function replicasBehind(one: Resource, world: Budgets): readonly [string, number] | undefined {
  const owner = one.metadata.ownerReferences?.find(({ controller }) => controller === true);
  const kind = scaled.find((each) => each.kind === owner?.kind && owner.apiVersion === versionOf(each));
  if (owner === undefined || kind === undefined) return undefined;
  const object = world.informer(kind).get({ namespace: one.metadata.namespace ?? '', name: owner.name });
  if (object?.metadata.uid !== owner.uid) return undefined;
  const replicas = (object['spec'] as { readonly replicas?: number } | undefined)?.replicas ?? 1;
  return replicasBehind(object, world) ?? [owner.uid, replicas];
}

function versionOf({ group, version }: KindOf): string {
  return group === '' ? version : `${group}/${version}`;
}

function stillDisrupted(
  { status }: PodDisruptionBudget,
  of: readonly Pod[],
  nowMs: number,
): { readonly disrupted: Record<string, string>; readonly againAfterMs?: number } {
  const disrupted: Record<string, string> = {};
  let againAfterMs: number | undefined;
  for (const [name, time] of Object.entries(status?.disruptedPods ?? {})) {
    const leftMs = Date.parse(time) + deletionMs - nowMs;
    const found = of.find(({ metadata }) => metadata.name === name);
    if (found === undefined || isPodGoing(found) || leftMs <= 0) continue;
    disrupted[name] = time;
    againAfterMs = Math.min(againAfterMs ?? Infinity, leftMs);
  }
  return { disrupted, ...(againAfterMs === undefined ? {} : { againAfterMs }) };
}

function conditionsOf({ status, metadata }: PodDisruptionBudget, allowed: number, nowMs: number) {
  const type = 'DisruptionAllowed';
  const is = allowed > 0 ? 'True' : 'False';
  const before = status?.conditions?.find((one) => one.type === type);
  const lastTransitionTime = before?.status === is ? (before.lastTransitionTime ?? '') : timeText(nowMs);
  const made = {
    type,
    status: is,
    observedGeneration: metadata.generation ?? 0,
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime,
  };
  return [...(status?.conditions ?? []).filter((one) => one.type !== type), made];
}

function selectionOfBudget({ spec }: PodDisruptionBudget) {
  return selectionOf(spec?.selector) ?? 'nothing';
}

function budgetsOf({ metadata }: Pod, world: World<Resource>): ObjectKey[] {
  return world
    .informer(budgets)
    .list(metadata.namespace)
    .filter((budget) => matchesLabels(selectionOfBudget(budget), metadata.labels))
    .map(keyOf);
}

function budgetsIn({ metadata }: Resource, world: World<Resource>): ObjectKey[] {
  return world.informer(budgets).list(metadata.namespace).map(keyOf);
}

function unmanagedText({ spec }: PodDisruptionBudget): string {
  const labels = Object.entries(spec?.selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return (
    `Pods selected by this PodDisruptionBudget (selector: ${labels.join(',')}) were found to be unmanaged. As a result, ` +
    'the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these ' +
    'pods please set ".spec.minAvailable" field of the PDB to an integer value.'
  );
}
