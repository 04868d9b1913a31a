import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { node } from '#kube/kinds/core/node.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import type { Node, Pod, Taint, Toleration } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { disruptPod } from './disrupt-pod.ts';
import { isPodGoing } from './pod-state.ts';
import { events, recordEvent } from './record-event.ts';

const nodes = kindOf<Node>(node);
const pods = kindOf<Pod>(pod);

/** Deletes pods from nodes with taints that they do not tolerate, or no longer. */
export const taintEvictionController: Controller<Pod> = {
  name: 'taint-eviction',
  primary: pods,
  inputs: [inputOf(nodes, podsOn)],
  outputs: [pods, events],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<Pod>, signal: AbortSignal): Promise<Outcome> {
  const one = world.primary.get(key);
  if (one?.spec?.nodeName === undefined || isPodGoing(one)) return {};
  const taints = world.informer(nodes).get({ namespace: '', name: one.spec.nodeName })?.spec?.taints ?? [];
  const endMs = evictionMs(taints, one.spec.tolerations ?? [], world.nowMs());
  if (endMs === undefined) return {};
  const leftMs = endMs - world.nowMs();
  if (leftMs > 0) return { againAfterMs: leftMs };
  const message = `Marking for deletion Pod ${key.namespace}/${key.name}`;
  const text = { type: 'Normal', reason: 'TaintManagerEviction', message } as const;
  await recordEvent(world.client, 'taint-eviction-controller', one, text, world.nowMs(), signal);
  const why = { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' };
  await disruptPod(world.client, one, why, world.nowMs(), signal);
  const { uid } = one.metadata;
  await world.client.delete(pods, key, uid === undefined ? {} : { preconditions: { uid } }, signal);
  return {};
}

/** When a pod has to leave a node with these taints; undefined: it may stay. */
export function evictionMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  nowMs: number,
): number | undefined {
  let endMs: number | undefined;
  for (const taint of taints.filter(({ effect }) => effect === 'NoExecute')) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return nowMs;
    const seconds = matching.map(({ tolerationSeconds }) => tolerationSeconds).filter((one) => one !== undefined);
    if (seconds.length === 0) continue;
    const sinceMs = Date.parse(taint.timeAdded ?? '') || nowMs;
    endMs = Math.min(endMs ?? Infinity, sinceMs + Math.max(Math.min(...seconds), 0) * 1000);
  }
  return endMs;
}

function tolerates({ key = '', operator, value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  return operator === 'Exists' || (key !== '' && value === (taint.value ?? ''));
}

function podsOn({ metadata }: Node, world: World<Resource>): ObjectKey[] {
  return world
    .informer(pods)
    .list()
    .filter(({ spec }) => spec?.nodeName === metadata.name)
    .map(keyOf);
}
