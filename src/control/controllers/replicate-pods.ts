import { isEqualJson } from '#base/json.ts';
import { keyOf, kindOf, type KindOf, type ObjectKey } from '#kube/client/client.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import { type LabelSelection, matchesLabels, selectionText } from '#kube/selectors/label-selector.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, ownedBy, type World } from '../controller.ts';
import { claimObjects, controllerOf, unlessNotFound } from './claim-objects.ts';
import { isPodActive } from './pod-state.ts';
import { victims } from './pod-victims.ts';
import { createPod, deletePod } from './pod-writes.ts';
import { events, type EventText, recordEvent } from './record-event.ts';
import { nextAvailableMs, type ReplicaOutcome, type Replicated, replicaStatus } from './replica-status.ts';
import { slowStart } from './slow-start.ts';
import { templatedPod } from './templated-pod.ts';

const pods = kindOf<Pod>(pod);
/** Pods that are made or deleted before the status is told. */
const burst = 500;
/** Events of one look at an object: a thousand times `Created pod` helps nobody. */
const eventsMost = 25;

export interface Replication<R extends Replicated> {
  readonly name: string;
  readonly kind: KindOf<R>;
  /** Who tells the events. */
  readonly component: string;
  readonly selectionOf: (one: R) => LabelSelection;
}

/** Keeps as many pods as objects of a kind ask for. */
export function replicatePods<R extends Replicated>(replication: Replication<R>): Controller<R> {
  const { name, kind, selectionOf } = replication;
  /** Objects that may adopt a pod that nobody controls. */
  const adopters = (one: Pod, world: World<Resource>): ObjectKey[] => {
    if (controllerOf(one) !== undefined) return [];
    const all = (world as unknown as World<R>).primary.list(one.metadata.namespace);
    return all.filter((set) => matchesLabels(selectionOf(set), one.metadata.labels)).map((set) => keyOf(set));
  };
  return {
    name,
    primary: kind,
    inputs: [ownedBy(kind, pods), inputOf(pods, adopters)],
    outputs: [kind, pods, events],
    reconcile: async (key, world, signal) => reconcile(replication, key, world, signal),
  };
}

async function reconcile<R extends Replicated>(
  replication: Replication<R>,
  key: ObjectKey,
  world: World<R>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { kind, selectionOf } = replication;
  let set = world.primary.get(key);
  if (set === undefined) return {};
  let mine = await claimed(replication, set, world.informer(pods).list(key.namespace), world, signal);
  if (surplusOf(set, mine) !== 0 && set.metadata.deletionTimestamp === undefined) {
    // What is in memory may be older than pods that were just made or deleted: ask, so that it is not done twice.
    set = await world.client.get(kind, key, signal).catch(unlessNotFound);
    if (set === undefined) return {};
    const labelSelector = selectionText(selectionOf(set));
    const { items } = await world.client.list(pods, { namespace: key.namespace, labelSelector }, signal);
    mine = await claimed(replication, set, items, world, signal);
  }
  const outcome =
    set.metadata.deletionTimestamp === undefined
      ? await bringToCount(replication, set, mine, world, signal)
      : { surplus: 0 };
  const status = replicaStatus(set, mine, outcome, world.nowMs());
  if (!isEqualJson(set.status ?? {}, status))
    await world.client.update(kind, { ...set, status }, { subresource: 'status' }, signal);
  if (outcome.failure !== undefined) throw outcome.failure;
  const againAfterMs = nextAvailableMs(mine, set.spec?.minReadySeconds ?? 0, world.nowMs());
  return againAfterMs === undefined ? {} : { againAfterMs };
}

async function claimed<R extends Replicated>(
  { kind, selectionOf }: Replication<R>,
  owner: R,
  all: readonly Pod[],
  { client }: World<R>,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const claim = { owner, ownerKind: kind, kind: pods, selection: selectionOf(owner) };
  return claimObjects(claim, all.filter(isPodActive), client, signal);
}

function surplusOf({ spec }: Replicated, mine: readonly Pod[]): number {
  return mine.length - (spec?.replicas ?? 1);
}

async function bringToCount<R extends Replicated>(
  replication: Replication<R>,
  set: R,
  mine: readonly Pod[],
  world: World<R>,
  signal: AbortSignal,
): Promise<ReplicaOutcome> {
  const { client } = world;
  const surplus = surplusOf(set, mine);
  if (surplus === 0) return { surplus };
  let told = 0;
  const tell = async (text: EventText): Promise<void> => {
    if ((told += 1) <= eventsMost) await recordEvent(client, replication.component, set, text, world.nowMs(), signal);
  };
  const failure =
    surplus < 0
      ? await slowStart(Math.min(-surplus, burst), async () =>
          createPod(templatedPod(set.spec?.template ?? {}, set), client, tell, signal),
        )
      : await deletePods(victims(mine, relatedTo(set, world), world.nowMs()).slice(0, Math.min(surplus, burst)));
  return failure === undefined ? { surplus } : { surplus, failure };

  async function deletePods(some: readonly Pod[]): Promise<Error | undefined> {
    return slowStart(some.length, async (at) => {
      const one = some[at];
      if (one !== undefined) await deletePod(one, client, tell, signal);
    });
  }
}

/** The pods of all sets of the same controller, such as of a Deployment. */
function relatedTo<R extends Replicated>(set: R, world: World<R>): readonly Pod[] {
  const above = controllerOf(set)?.uid;
  const sets = world.primary.list(set.metadata.namespace);
  const related = above === undefined ? [set] : sets.filter((one) => controllerOf(one)?.uid === above);
  const uids = new Set(related.map(({ metadata }) => metadata.uid));
  return world
    .informer(pods)
    .list(set.metadata.namespace)
    .filter((one) => uids.has(controllerOf(one)?.uid ?? ''));
}
