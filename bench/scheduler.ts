/**
 * The scheduler's decisions: 10,000 pods on 1,000 nodes, in this process and without an API: `node bench/scheduler.ts`. There is
 * no kube-scheduler to be had beside it; the target is in the last column.
 */
import { monotonicMs } from '#base/clock.ts';
import { chooseNode } from '#control/scheduler/choose-node.ts';
import { ClusterState } from '#control/scheduler/cluster-state.ts';
import { podInfoOf } from '#control/scheduler/node-info.ts';
import type { ClusterView } from '#control/scheduler/plugin.ts';
import type { PodSpec } from '#kube/types/gen/core-v1.ts';

const [nodes, pods, zones] = [1_000, 10_000, 10];
const containers = [{ name: 'main', image: 'web:1', resources: { requests: { cpu: '100m', memory: '128Mi' } } }];
const labelSelector = { matchLabels: { app: 'web' } };
const spread = { maxSkew: 5, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector };
const apart = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector }],
  },
};

const rows: readonly (readonly [string, PodSpec, number, string])[] = [
  ['plain pods', { containers }, pods, '1000'],
  ['spread over zones', { containers, topologySpreadConstraints: [spread] }, 1_000, '-'],
  ['none beside another', { containers, affinity: apart }, 1_000, '-'],
];

for (const [what, spec, count, target] of rows) {
  const state = new ClusterState();
  for (let index = 0; index < nodes; index += 1) addNode(state, index);
  const view: ClusterView = {
    nodes: state.nodes,
    namespace: () => undefined,
    claim: () => undefined,
    volume: () => undefined,
    storageClass: () => undefined,
  };
  const startMs = monotonicMs();
  let placed = 0;
  for (let index = 0; index < count; index += 1) {
    const metadata = { namespace: 'default', name: `web-${String(index)}`, uid: String(index), labels: { app: 'web' } };
    const info = podInfoOf({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
    const choice = chooseNode(info, view, (below) => index % below);
    if ('message' in choice) continue;
    state.assume(info, choice.node);
    placed += 1;
  }
  const perSecond = (count * 1000) / (monotonicMs() - startMs);
  console.log(
    `${what.padEnd(24)} ${perSecond.toFixed(0).padStart(7)} pods/s  ${String(placed)} placed  target ${target}`,
  );
}

function addNode(state: ClusterState, index: number): void {
  const name = `node-${String(index)}`;
  const labels = { 'kubernetes.io/hostname': name, zone: `zone-${String(index % zones)}` };
  const status = { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } };
  state.onNode({ type: 'added', object: { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, status } });
}
