import { StatusError } from '#base/errors.ts';
import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { node } from '#kube/kinds/core/node.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import type { Node, Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { disruptPod } from './disrupt-pod.ts';
import { isPodFinished, isPodGoing } from './pod-state.ts';

const nodes = kindOf<Node>(node);
const pods = kindOf<Pod>(pod);
/** A node whose pods are younger than this may be about to say that it is there. */
const quarantineMs = 40_000;
/** Pods that have ended and are kept (--terminated-pod-gc-threshold). */
const endedMost = 12_500;
const outOfService = 'node.kubernetes.io/out-of-service';

/** Deletes pods that no node will: of nodes that are gone, of none, and the oldest of too many that have ended. */
export const podGarbageController: Controller<Pod> = {
  name: 'pod-garbage-collector',
  primary: pods,
  inputs: [inputOf(nodes, podsOn)],
  outputs: [pods],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<Pod>, signal: AbortSignal): Promise<Outcome> {
  const one = world.primary.get(key);
  if (one === undefined) return {};
  const nodeName = one.spec?.nodeName ?? '';
  const nowMs = world.nowMs();
  if (nodeName === '') {
    const message = 'PodGC: unscheduled and terminating';
    if (isPodGoing(one)) await remove(one, { message, isLost: true }, world, signal);
    return {};
  }
  const on = world.informer(nodes).get({ namespace: '', name: nodeName });
  if (on === undefined) {
    const youngMs = (Date.parse(one.metadata.creationTimestamp ?? '') || 0) + quarantineMs - nowMs;
    if (youngMs > 0) return { againAfterMs: youngMs };
    if (await isNodeThere(nodeName, world, signal)) return { againAfterMs: quarantineMs };
    await remove(one, { message: 'PodGC: node no longer exists', isLost: true }, world, signal);
    return {};
  }
  if (isPodGoing(one) && isOutOfService(on))
    await remove(one, { message: 'PodGC: node is out-of-service', isLost: true }, world, signal);
  else if (isPodFinished(one) && isTooMuch(one, world)) await remove(one, undefined, world, signal);
  return {};
}

async function remove(
  one: Pod,
  why: { readonly message: string; readonly isLost: boolean } | undefined,
  world: World<Pod>,
  signal: AbortSignal,
): Promise<void> {
  if (why !== undefined && !isPodFinished(one))
    await disruptPod(world.client, one, { ...why, reason: 'DeletionByPodGC' }, world.nowMs(), signal);
  const { uid } = one.metadata;
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  await world.client.delete(pods, keyOf(one), { gracePeriodSeconds: 0, ...preconditions }, signal);
}

/** What is in memory may be older than a node that was just made. */
async function isNodeThere(name: string, { client }: World<Pod>, signal: AbortSignal): Promise<boolean> {
  try {
    await client.get(nodes, { namespace: '', name }, signal);
    return true;
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'NotFound') return false;
    throw error;
  }
}

function isOutOfService({ spec, status }: Node): boolean {
  const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
  return !isReady && (spec?.taints?.some(({ key }) => key === outOfService) ?? false);
}

/** Whether more pods than are kept have ended after this one was made. */
function isTooMuch({ metadata }: Pod, world: World<Pod>): boolean {
  if (world.primary.list().length <= endedMost) return false;
  const made = metadata.creationTimestamp ?? '';
  const later = world.primary
    .list()
    .filter((pod_) => isPodFinished(pod_) && (pod_.metadata.creationTimestamp ?? '') > made);
  return later.length >= endedMost;
}

function podsOn({ metadata }: Node, world: World<Resource>): ObjectKey[] {
  return world
    .informer(pods)
    .list()
    .filter(({ spec }) => spec?.nodeName === metadata.name)
    .map(keyOf);
}
