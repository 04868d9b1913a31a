import { isEqualJson } from '#base/json.ts';
import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { deployment as deploymentKind } from '#kube/kinds/apps/deployment.ts';
import { replicaSet } from '#kube/kinds/apps/replica-set.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import { ApiError } from '#kube/status.ts';
import type { Deployment, ReplicaSet } from '#kube/types/gen/apps-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, ownedBy, type World } from '../controller.ts';
import { claimObjects, controllerOf, unlessNotFound } from './claim-objects.ts';
import { planRecreate, planRollout, planScaling, replicaLimits, replicasOf, type Scale } from './deployment-rollout.ts';
import {
  asCurrent,
  deploymentSets,
  type DeploymentSets,
  isScaled,
  newReplicaSet,
  replicaAnnotations,
  revisionAnnotation,
  surplusSets,
  withoutHash,
} from './deployment-sets.ts';
import { deadlineMs, deploymentStatus, isComplete, type Rollout } from './deployment-status.ts';
import { isPodFinished } from './pod-state.ts';
import { events, type EventText, recordEvent, timeText } from './record-event.ts';

const deployments = kindOf<Deployment>(deploymentKind);
const replicaSets = kindOf<ReplicaSet>(replicaSet);
const pods = kindOf<Pod>(pod);

/** Leads pods from one template to the next by replica sets, one for each template. */
export const deploymentController: Controller<Deployment> = {
  name: 'deployment',
  primary: deployments,
  inputs: [ownedBy(deployments, replicaSets), inputOf(replicaSets, adoptersOf), inputOf(pods, recreatedBy)],
  outputs: [deployments, replicaSets, events],
  reconcile,
};

/** One look at one deployment. */
interface Call {
  readonly world: World<Deployment>;
  readonly signal: AbortSignal;
  readonly tell: (text: EventText) => Promise<void>;
}

async function reconcile(key: ObjectKey, world: World<Deployment>, signal: AbortSignal): Promise<Outcome> {
  const one = world.primary.get(key);
  if (one === undefined) return {};
  const { client } = world;
  const call: Call = {
    world,
    signal,
    tell: async (text) => recordEvent(client, 'deployment-controller', one, text, world.nowMs(), signal),
  };
  const selection = selectionOf(one.spec?.selector) ?? 'nothing';
  if (selection.length === 0) {
    const message = 'This deployment is selecting all pods. A non-empty selector is required.';
    await call.tell({ type: 'Warning', reason: 'SelectingAll', message });
    return {};
  }
  const claim = { owner: one, ownerKind: deployments, kind: replicaSets, selection };
  const all = await claimObjects(claim, world.informer(replicaSets).list(key.namespace), client, signal);
  const sets = deploymentSets(one, all);
  const rollout = await rollOut(one, all, sets, call);
  return finish(one, rollout, call);
}

async function rollOut(
  one: Deployment,
  all: readonly ReplicaSet[],
  sets: DeploymentSets,
  call: Call,
): Promise<Rollout> {
  const { old } = sets;
  if (one.metadata.deletionTimestamp !== undefined) return { ...sets, isScaling: true };
  let current = sets.current && (await keepCurrent(one, sets.current, old, call));
  if (one.spec?.paused === true || isScaled(one, all)) {
    await scaleAll(one, planScaling(one, current, old), call);
    if (one.spec?.paused === true) await removeSurplus(one, old, call);
    return { current, old, isScaling: true };
  }
  const isRecreated = one.spec?.strategy?.type === 'Recreate';
  if (isRecreated) {
    const given = planRecreate(old);
    await scaleAll(one, given, call);
    if (given.length > 0 || hasOldPods(current, old, call)) return { current, old, isScaling: false };
  }
  const isNew = current === undefined;
  current ??= await makeCurrent(one, old, call);
  const toAll = { set: current, replicas: replicaLimits(one).replicas };
  const steps = isRecreated
    ? [toAll].filter(({ set, replicas }) => replicasOf(set) !== replicas)
    : planRollout(one, current, old);
  await scaleAll(one, steps, call);
  if (steps.length === 0 && isComplete(one, one.status)) await removeSurplus(one, old, call);
  return { current, old, isNew, isScaling: false };
}

/** Says what came of it. */
async function finish(one: Deployment, rollout: Rollout, { world, signal }: Call): Promise<Outcome> {
  const { client } = world;
  const revision = rollout.current?.metadata.annotations?.[revisionAnnotation];
  let now = one;
  if (revision !== undefined && revision !== one.metadata.annotations?.[revisionAnnotation]) {
    const { resourceVersion } = one.metadata;
    const annotations = { [revisionAnnotation]: revision };
    const body = { metadata: { ...(resourceVersion === undefined ? {} : { resourceVersion }), annotations } };
    now = await client.patch(deployments, keyOf(one), { type: 'merge', body }, {}, signal);
  }
  const status = deploymentStatus(one, rollout, world.nowMs());
  if (!isEqualJson(one.status ?? {}, status))
    await client.update(deployments, { ...now, status }, { subresource: 'status' }, signal);
  const againAfterMs = deadlineMs(one, status, world.nowMs());
  return againAfterMs === undefined ? {} : { againAfterMs };
}

async function keepCurrent(
  one: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  { world, signal }: Call,
): Promise<ReplicaSet> {
  const wanted = asCurrent(one, current, old);
  return wanted === current ? current : world.client.update(replicaSets, wanted, {}, signal);
}

async function makeCurrent(one: Deployment, old: readonly ReplicaSet[], call: Call): Promise<ReplicaSet> {
  const { client } = call.world;
  const wanted = newReplicaSet(one, old);
  const name = wanted.metadata.name ?? '';
  try {
    const made = await client.create(replicaSets, wanted, {}, call.signal);
    if (replicasOf(made) > 0) await tellScale(made, 0, replicasOf(made), call);
    return made;
  } catch (error) {
    if (error instanceof ApiError && error.statusReason === 'AlreadyExists') {
      const there = await client.get(replicaSets, keyOf(wanted), call.signal);
      const isOurs = controllerOf(there)?.uid === one.metadata.uid;
      // It was made a moment ago, and memory does not show it yet.
      if (isOurs && isEqualJson(withoutHash(there.spec?.template), withoutHash(one.spec?.template))) return there;
      const status = { ...one.status, collisionCount: (one.status?.collisionCount ?? 0) + 1 };
      await client.update(deployments, { ...one, status }, { subresource: 'status' }, call.signal);
      throw error;
    }
    // Nothing can be made in a namespace that goes, and that is well known.
    const causes = error instanceof ApiError ? (error.details?.causes ?? []) : [];
    if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) throw error;
    await tellFailure(one, `Failed to create new replica set "${name}": ${textOf(error)}`, call);
    throw error;
  }
}

async function tellFailure(one: Deployment, message: string, { world, signal, tell }: Call): Promise<void> {
  const time = timeText(world.nowMs());
  const type = 'Progressing';
  const reason = 'ReplicaSetCreateError';
  const before = one.status?.conditions?.find((condition) => condition.type === type);
  if (before?.reason !== reason) {
    const made = { type, status: 'False', lastUpdateTime: time, lastTransitionTime: time, reason, message };
    const others = (one.status?.conditions ?? []).filter((condition) => condition.type !== type);
    const status = { ...one.status, conditions: [...others, made] };
    await world.client.update(deployments, { ...one, status }, { subresource: 'status' }, signal);
  }
  await tell({ type: 'Warning', reason, message });
}

/** The version that a set carries keeps a step from being done twice: what memory shows too late is a conflict. */
async function scaleAll(one: Deployment, steps: readonly Scale[], call: Call): Promise<void> {
  const annotated = replicaAnnotations(one);
  for (const { set, replicas } of steps) {
    const before = replicasOf(set);
    const annotations = { ...set.metadata.annotations, ...annotated };
    if (before === replicas && isEqualJson(annotations, set.metadata.annotations)) continue;
    const next = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } };
    await call.world.client.update(replicaSets, next, {}, call.signal);
    if (before !== replicas) await tellScale(set, before, replicas, call);
  }
}

async function tellScale({ metadata }: ReplicaSet, from: number, to: number, { tell }: Call): Promise<void> {
  const where = to > from ? 'up' : 'down';
  const message = `Scaled ${where} replica set ${metadata.name ?? ''} from ${String(from)} to ${String(to)}`;
  await tell({ type: 'Normal', reason: 'ScalingReplicaSet', message });
}

async function removeSurplus(one: Deployment, old: readonly ReplicaSet[], { world, signal }: Call): Promise<void> {
  for (const set of surplusSets(one, old)) {
    const { uid } = set.metadata;
    const options = uid === undefined ? {} : { preconditions: { uid } };
    await world.client.delete(replicaSets, keyOf(set), options, signal).catch(unlessNotFound);
  }
}

/** Whether a pod of an earlier template still runs, be it that it is going. */
function hasOldPods(current: ReplicaSet | undefined, old: readonly ReplicaSet[], { world }: Call): boolean {
  if (old.some(({ status }) => (status?.replicas ?? 0) > 0)) return true;
  const uids = new Set(old.filter((set) => set !== current).map(({ metadata }) => metadata.uid));
  const [first] = old;
  const all = first === undefined ? [] : world.informer(pods).list(first.metadata.namespace);
  return all.some((one) => uids.has(controllerOf(one)?.uid ?? '') && !isPodFinished(one));
}

/** Deployments that may adopt a set that nobody controls. */
function adoptersOf(set: ReplicaSet, world: World<Resource>): ObjectKey[] {
  if (controllerOf(set) !== undefined) return [];
  const all = (world as unknown as World<Deployment>).primary.list(set.metadata.namespace);
  return all
    .filter(({ spec }) => matchesLabels(selectionOf(spec?.selector) ?? 'nothing', set.metadata.labels))
    .map((one) => keyOf(one));
}

/** The deployment that waits for old pods to be gone. */
function recreatedBy(one: Pod, world: World<Resource>): ObjectKey[] {
  const owner = controllerOf(one);
  if (owner?.kind !== 'ReplicaSet') return [];
  const { namespace = '' } = one.metadata;
  const set = world.informer(replicaSets).get({ namespace, name: owner.name });
  const above = set === undefined ? undefined : controllerOf(set);
  if (above?.kind !== 'Deployment') return [];
  const key = { namespace, name: above.name };
  const { spec } = (world as unknown as World<Deployment>).primary.get(key) ?? {};
  return spec?.strategy?.type === 'Recreate' ? [key] : [];
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
