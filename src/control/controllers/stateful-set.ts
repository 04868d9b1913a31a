import { isEqualJson } from '#base/json.ts';
import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { statefulSet } from '#kube/kinds/apps/stateful-set.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import { ApiError } from '#kube/status.ts';
import type { StatefulSet } from '#kube/types/gen/apps-v1.ts';
import type { PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, ownedBy, type World } from '../controller.ts';
import { claims } from './claim-binder.ts';
import { claimObjects, controllerOf, unlessNotFound } from './claim-objects.ts';
import { planStatefulSet, statefulStatus, type StatefulStep } from './plan-stateful-set.ts';
import { events, type EventText, recordEvent } from './record-event.ts';
import { nextAvailableMs } from './replica-status.ts';
import { keepRevisions, removeRevisions, revisionKind, revisionLabel, type Revisions } from './revisions.ts';
import { claimOwners, claimsOf, ordinalOf, podNameOf, statefulPod } from './stateful-pod.ts';

const statefulSets = kindOf<StatefulSet>(statefulSet);
const pods = kindOf<Pod>(pod);
/** How long claims of an earlier pod may take to be gone before it is looked at again. */
const staleClaimMs = 1000;

/** Keeps pods that have names, places in an order and claims of their own. */
export const statefulSetController: Controller<StatefulSet> = {
  name: 'statefulset',
  primary: statefulSets,
  inputs: [
    ownedBy(statefulSets, pods),
    inputOf(pods, adoptersOf),
    inputOf(claims, () => []),
    ownedBy(statefulSets, revisionKind),
  ],
  outputs: [statefulSets, pods, claims, revisionKind, events],
  reconcile,
};

/** One look at one set. */
interface Call {
  readonly set: StatefulSet;
  readonly world: World<StatefulSet>;
  readonly signal: AbortSignal;
  readonly tell: (text: EventText) => Promise<void>;
}

async function reconcile(key: ObjectKey, world: World<StatefulSet>, signal: AbortSignal): Promise<Outcome> {
  const set = world.primary.get(key);
  if (set === undefined) return {};
  const { client } = world;
  const tell = async (text: EventText): Promise<void> =>
    recordEvent(client, 'statefulset-controller', set, text, world.nowMs(), signal);
  const call: Call = { set, world, signal, tell };
  const selection = selectionOf(set.spec?.selector) ?? 'nothing';
  const named = world
    .informer(pods)
    .list(key.namespace)
    .filter((one) => ordinalOf(set, one) !== undefined);
  const mine = await claimObjects(
    { owner: set, ownerKind: statefulSets, kind: pods, selection },
    named,
    client,
    signal,
  );
  const revisions = await keepRevisions(set, statefulSets, selection, world, signal);
  const update = revisions.current.metadata.name ?? '';
  const known = set.status?.currentRevision ?? '';
  const current = revisions.all.some(({ metadata }) => metadata.name === known) ? known : update;
  const names = { current, update };
  let isWaiting = false;
  if (set.metadata.deletionTimestamp === undefined) {
    for (const one of mine) await ownClaims(one, false, call);
    for (const step of planStatefulSet(set, mine, names, world.nowMs()))
      if (!(await carryOut(step, revisions, call))) isWaiting = true;
  }
  const status = statefulStatus(set, mine, names, world.nowMs());
  if (!isEqualJson(set.status ?? {}, status))
    await client.update(statefulSets, { ...set, status }, { subresource: 'status' }, signal);
  const inUse = new Set([...mine.map(({ metadata }) => metadata.labels?.[revisionLabel] ?? ''), current, update]);
  if (set.metadata.deletionTimestamp === undefined)
    await removeRevisions(revisions, inUse, set.spec?.revisionHistoryLimit ?? 10, world, signal);
  const nextMs = isWaiting ? staleClaimMs : nextAvailableMs(mine, set.spec?.minReadySeconds ?? 0, world.nowMs());
  return nextMs === undefined ? {} : { againAfterMs: nextMs };
}

/** Whether the step was done; false: something has to go first. */
async function carryOut(step: StatefulStep, { all }: Revisions, call: Call): Promise<boolean> {
  const { set, world, signal, tell } = call;
  if (step.step === 'create') {
    const revision = all.find(({ metadata }) => metadata.name === step.revision);
    if (revision === undefined || !(await makeClaims(podNameOf(set, step.ordinal), call))) return false;
    await makePod(statefulPod(set, step.ordinal, revision), call);
    return true;
  }
  const { uid, name = '' } = step.pod.metadata;
  const title = `${set.metadata.namespace ?? ''}/${set.metadata.name ?? ''}`;
  if (step.why === 'ended') {
    const isFailed = step.pod.status?.phase === 'Failed';
    const reason = isFailed ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod';
    const message = `StatefulSet ${title} is recreating ${isFailed ? 'failed' : 'terminated'} Pod ${name}`;
    await tell({ type: isFailed ? 'Warning' : 'Normal', reason, message });
  }
  if (step.why === 'surplus') await ownClaims(step.pod, true, call);
  const options = uid === undefined ? {} : { preconditions: { uid } };
  await world.client.delete(pods, keyOf(step.pod), options, signal).catch(unlessNotFound);
  const message = `delete Pod ${name} in StatefulSet ${set.metadata.name ?? ''} successful`;
  await tell({ type: 'Normal', reason: 'SuccessfulDelete', message });
  return true;
}

async function makePod(wanted: Pod, { set, world, signal, tell }: Call): Promise<void> {
  const what = `create Pod ${wanted.metadata.name ?? ''} in StatefulSet ${set.metadata.name ?? ''}`;
  try {
    await world.client.create(pods, wanted, {}, signal);
  } catch (error) {
    // It was made a moment ago, and memory does not show it yet.
    if (error instanceof ApiError && error.statusReason === 'AlreadyExists') {
      const there = await world.client.get(pods, keyOf(wanted), signal).catch(unlessNotFound);
      if (there === undefined || controllerOf(there)?.uid === set.metadata.uid) return;
    }
    await tell({ type: 'Warning', reason: 'FailedCreate', message: `${what} failed error: ${textOf(error)}` });
    throw error;
  }
  await tell({ type: 'Normal', reason: 'SuccessfulCreate', message: `${what} successful` });
}

/** Makes the claims of a pod that is to come; false while those of an earlier pod of its name still go. */
async function makeClaims(podName: string, { set, world, signal, tell }: Call): Promise<boolean> {
  for (const wanted of claimsOf(set, podName)) {
    const there = await world.client.get(claims, keyOf(wanted), signal).catch(unlessNotFound);
    if (there !== undefined) {
      const owners = there.metadata.ownerReferences ?? [];
      if (there.metadata.deletionTimestamp !== undefined || owners.some(({ kind }) => kind === 'Pod')) return false;
      continue;
    }
    const [claim, owner] = [wanted.metadata.name ?? '', set.metadata.name ?? ''];
    try {
      await world.client.create(claims, wanted, {}, signal);
    } catch (error) {
      const message = `create Claim ${claim} for Pod ${podName} in StatefulSet ${owner} failed error: ${textOf(error)}`;
      await tell({ type: 'Warning', reason: 'FailedCreate', message });
      throw error;
    }
    const message = `create Claim ${claim} Pod ${podName} in StatefulSet ${owner} success`;
    await tell({ type: 'Normal', reason: 'SuccessfulCreate', message });
  }
  return true;
}

/** Lets claims go with whom the set says. */
async function ownClaims(one: Pod, isScaledAway: boolean, { set, world, signal }: Call): Promise<void> {
  for (const { metadata } of claimsOf(set, one.metadata.name ?? '')) {
    const key = { namespace: set.metadata.namespace ?? '', name: metadata.name ?? '' };
    const claim: PersistentVolumeClaim | undefined = world.informer(claims).get(key);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) continue;
    const before = claim.metadata.ownerReferences ?? [];
    // What was given to a pod that goes stays with it.
    if (!isScaledAway && one.metadata.deletionTimestamp !== undefined) continue;
    const ownerReferences = claimOwners(set, isScaledAway ? one : undefined, before);
    if (isEqualJson(ownerReferences, before)) continue;
    const { resourceVersion } = claim.metadata;
    const body = { metadata: { ...(resourceVersion === undefined ? {} : { resourceVersion }), ownerReferences } };
    await world.client.patch(claims, key, { type: 'merge', body }, {}, signal);
  }
}

/** Sets that may adopt a pod that nobody controls. */
function adoptersOf(one: Pod, world: World<Resource>): ObjectKey[] {
  if (controllerOf(one) !== undefined) return [];
  const all = (world as unknown as World<StatefulSet>).primary.list(one.metadata.namespace);
  return all
    .filter((set) => ordinalOf(set, one) !== undefined)
    .filter(({ spec }) => matchesLabels(selectionOf(spec?.selector) ?? 'nothing', one.metadata.labels))
    .map((set) => keyOf(set));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
