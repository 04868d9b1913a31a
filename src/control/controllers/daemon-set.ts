import { isEqualJson } from '#base/json.ts';
import { kindOf, type ObjectKey } from '#kube/client/client.ts';
import { daemonSet } from '#kube/kinds/apps/daemon-set.ts';
import { node } from '#kube/kinds/core/node.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import { matchesLabels, selectionOf, selectionText } from '#kube/selectors/label-selector.ts';
import type { DaemonSet } from '#kube/types/gen/apps-v1.ts';
import type { Node, Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, ownedBy, type World } from '../controller.ts';
import { claimObjects, controllerOf, unlessNotFound } from './claim-objects.ts';
import { daemonPodSpec, targetOf } from './daemon-pod.ts';
import { type DaemonPlan, daemonStatus, planDaemonSet } from './plan-daemon-set.ts';
import { createPod, deletePod, type Tell } from './pod-writes.ts';
import { events, recordEvent } from './record-event.ts';
import { nextAvailableMs } from './replica-status.ts';
import { keepRevisions, removeRevisions, revisionKind, revisionLabel } from './revisions.ts';
import { slowStart } from './slow-start.ts';
import { templatedPod } from './templated-pod.ts';

const daemonSets = kindOf<DaemonSet>(daemonSet);
const nodes = kindOf<Node>(node);
const pods = kindOf<Pod>(pod);
/** Pods that are made at one look at most. */
const burst = 250;

/** Keeps a pod on each node that a set means. */
export const daemonSetController: Controller<DaemonSet> = {
  name: 'daemonset',
  primary: daemonSets,
  inputs: [
    ownedBy(daemonSets, pods),
    inputOf(pods, adoptersOf),
    inputOf(nodes, (_, world) => (world as unknown as World<DaemonSet>).primary.list().map((set) => keyFor(set))),
    ownedBy(daemonSets, revisionKind),
  ],
  outputs: [daemonSets, pods, revisionKind, events],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<DaemonSet>, signal: AbortSignal): Promise<Outcome> {
  const set = world.primary.get(key);
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return {};
  const { client } = world;
  const selection = selectionOf(set.spec?.selector) ?? 'nothing';
  const claim = { owner: set, ownerKind: daemonSets, kind: pods, selection };
  const tell: Tell = async (text) => recordEvent(client, 'daemonset-controller', set, text, world.nowMs(), signal);
  if (selection.length === 0) {
    const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
    await tell({ type: 'Warning', reason: 'SelectingAll', message });
    return {};
  }
  const revisions = await keepRevisions(set, daemonSets, selection, world, signal);
  const hash = revisions.current.metadata.labels?.[revisionLabel] ?? '';
  const all = world.informer(nodes).list();
  let mine = await claimObjects(claim, world.informer(pods).list(key.namespace), client, signal);
  let plan = planDaemonSet(set, all, mine, hash, world.nowMs());
  if (plan.create.length + plan.remove.length > 0) {
    // What is in memory may be older than pods that were just made or deleted: ask, so that it is not done twice.
    const now = await client.get(daemonSets, key, signal).catch(unlessNotFound);
    if (now?.metadata.uid !== set.metadata.uid || now?.metadata.generation !== set.metadata.generation) return {};
    const labelSelector = selectionText(selection);
    const { items } = await client.list(pods, { namespace: key.namespace, labelSelector }, signal);
    mine = await claimObjects(claim, items, client, signal);
    plan = planDaemonSet(set, all, mine, hash, world.nowMs());
  }
  const failure = await carryOut(set, plan, hash, world, tell, signal);
  const status = daemonStatus(set, all, mine, hash, world.nowMs());
  if (!isEqualJson(set.status ?? {}, status))
    await client.update(daemonSets, { ...set, status }, { subresource: 'status' }, signal);
  if (failure !== undefined) throw failure;
  const used = new Set([hash, ...mine.map(({ metadata }) => metadata.labels?.[revisionLabel] ?? '')]);
  const inUse = revisions.all.filter(({ metadata }) => used.has(metadata.labels?.[revisionLabel] ?? ''));
  const names = new Set(inUse.map(({ metadata }) => metadata.name ?? ''));
  await removeRevisions(revisions, names, set.spec?.revisionHistoryLimit ?? 10, world, signal);
  const againAfterMs = plan.againAfterMs ?? nextAvailableMs(mine, set.spec?.minReadySeconds ?? 0, world.nowMs());
  return againAfterMs === undefined ? {} : { againAfterMs };
}

async function carryOut(
  set: DaemonSet,
  { create, remove, failed }: DaemonPlan,
  hash: string,
  { client }: World<DaemonSet>,
  tell: Tell,
  signal: AbortSignal,
): Promise<Error | undefined> {
  for (const one of failed) {
    const { metadata } = one;
    const where = targetOf(one) ?? '';
    const title = `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
    const message = `Found failed daemon pod ${title} on node ${where}, will try to kill it`;
    await tell({ type: 'Warning', reason: 'FailedDaemonPod', message });
  }
  const made = await slowStart(Math.min(create.length, burst), async (at) => {
    const { metadata, spec, ...one } = templatedPod(set.spec?.template ?? {}, set);
    const labels = { ...metadata.labels, [revisionLabel]: hash };
    const bound = daemonPodSpec(spec ?? {}, create[at] ?? '');
    await createPod({ ...one, metadata: { ...metadata, labels }, spec: bound }, client, tell, signal);
  });
  const deleted = await slowStart(remove.length, async (at) => {
    const one = remove[at];
    if (one !== undefined) await deletePod(one, client, tell, signal);
  });
  return made ?? deleted;
}

function keyFor({ metadata }: DaemonSet): ObjectKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

/** Sets that may adopt a pod that nobody controls. */
function adoptersOf(one: Pod, world: World<Resource>): ObjectKey[] {
  if (controllerOf(one) !== undefined) return [];
  const all = (world as unknown as World<DaemonSet>).primary.list(one.metadata.namespace);
  return all
    .filter(({ spec }) => matchesLabels(selectionOf(spec?.selector) ?? 'nothing', one.metadata.labels))
    .map((set) => keyFor(set));
}
