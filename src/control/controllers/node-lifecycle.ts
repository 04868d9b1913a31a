import { isEqualJson } from '#base/json.ts';
import { kindOf, type ObjectKey } from '#kube/client/client.ts';
import { lease } from '#kube/kinds/coordination/lease.ts';
import { node } from '#kube/kinds/core/node.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Lease } from '#kube/types/gen/coordination-v1.ts';
import type { Node, NodeCondition, Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { nodeTaints } from './node-taints.ts';
import { events, recordEvent, timeText } from './record-event.ts';

const nodes = kindOf<Node>(node);
const leases = kindOf<Lease>(lease);
const pods = kindOf<Pod>(pod);
const leaseNamespace = 'kube-node-lease';
/** How long a node may say nothing (--node-monitor-grace-period), and one that never said anything. */
const graceMs = 50_000;
const startupGraceMs = 60_000;
const followed = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/**
 * Notes that a node is silent, gives nodes the taints that their conditions ask for, and makes the pods of nodes that are
 * not ready unready. `sinceMs`: since when somebody listens; nobody was silent before.
 */
export function nodeLifecycleController(): Controller<Node> {
  let sinceMs: number | undefined;
  return {
    name: 'node-lifecycle',
    primary: nodes,
    inputs: [
      inputOf(leases, ({ metadata }) =>
        metadata.namespace === leaseNamespace ? [{ namespace: '', name: metadata.name ?? '' }] : [],
      ),
      inputOf(pods, ({ spec }) => (spec?.nodeName === undefined ? [] : [{ namespace: '', name: spec.nodeName }])),
    ],
    outputs: [nodes, pods, events],
    reconcile: async (key, world, signal) => {
      sinceMs ??= world.nowMs();
      return reconcile(key, world, sinceMs, signal);
    },
  };
}

async function reconcile(key: ObjectKey, world: World<Node>, sinceMs: number, signal: AbortSignal): Promise<Outcome> {
  const seen = world.primary.get(key);
  if (seen === undefined || seen.metadata.deletionTimestamp !== undefined) return {};
  const nowMs = world.nowMs();
  const heard = lastHeardMs(seen, world);
  const hasSpoken = heard.isReported;
  const leftMs = Math.max(heard.ms, sinceMs) + (hasSpoken ? graceMs : startupGraceMs) - nowMs;
  let one = seen;
  const isReady = readinessOf(one) === 'True';
  if (leftMs <= 0) {
    const conditions = silentConditions(one, timeText(nowMs));
    if (!isEqualJson(conditions, one.status?.conditions ?? [])) {
      const status = { ...one.status, conditions };
      one = await world.client.update(nodes, { ...one, status }, { subresource: 'status' }, signal);
    }
  }
  const taints = nodeTaints(one, timeText(nowMs));
  if (!isEqualJson(taints, one.spec?.taints ?? []))
    one = await world.client.update(nodes, { ...one, spec: { ...one.spec, taints } }, {}, signal);
  if ((readinessOf(one) ?? 'True') !== 'True') {
    if (isReady) {
      const message = `Node ${key.name} status is now: NodeNotReady`;
      const text = { type: 'Normal', reason: 'NodeNotReady', message } as const;
      await recordEvent(world.client, 'node-controller', one, text, nowMs, signal);
    }
    await markPods(key.name, world, signal);
  }
  return leftMs > 0 ? { againAfterMs: leftMs + 1 } : {};
}

function readinessOf({ status }: Node): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

function lastHeardMs({ metadata, status }: Node, world: World<Node>): { ms: number; isReported: boolean } {
  const renewed = world.informer(leases).get({ namespace: leaseNamespace, name: metadata.name ?? '' })?.spec?.renewTime;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const times = [renewed, ready?.lastHeartbeatTime, metadata.creationTimestamp];
  const ms = Math.max(...times.map((time) => Date.parse(time ?? '') || 0));
  return { ms, isReported: ready !== undefined };
}

function silentConditions({ status }: Node, time: string): NodeCondition[] {
  const before = status?.conditions ?? [];
  const changed = before.map((one) => {
    if (!followed.includes(one.type ?? '') || one.status === 'Unknown') return one;
    const message = 'Kubelet stopped posting node status.';
    return { ...one, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime: time };
  });
  const missing = followed.filter((type) => !before.some((one) => one.type === type));
  return [
    ...changed,
    ...missing.map((type) => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: time,
      lastTransitionTime: time,
    })),
  ];
}

/** Services must not send anything to pods that nobody hears of. */
async function markPods(nodeName: string, world: World<Node>, signal: AbortSignal): Promise<void> {
  for (const one of world.informer(pods).list()) {
    const ready = one.status?.conditions?.find(({ type }) => type === 'Ready');
    if (one.spec?.nodeName !== nodeName || ready?.status !== 'True') continue;
    const time = timeText(world.nowMs());
    const changed = { ...ready, status: 'False', lastTransitionTime: time };
    const conditions = (one.status?.conditions ?? []).map((condition) => (condition === ready ? changed : condition));
    await world.client.update(
      pods,
      { ...one, status: { ...one.status, conditions } },
      { subresource: 'status' },
      signal,
    );
    const text = { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' } as const;
    await recordEvent(world.client, 'node-controller', one, text, world.nowMs(), signal);
  }
}
