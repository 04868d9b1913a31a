import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Node, Pod, PodSpec } from '#kube/types/gen/core-v1.ts';

import { chooseNode } from './choose-node.ts';
import { NodeInfo, podInfoOf } from './node-info.ts';
import type { ClusterView } from './plugin.ts';

type Labels = Record<string, string>;

interface PodRow {
  readonly labels?: Labels;
  readonly spec?: PodSpec;
}

interface NodeRow {
  readonly labels?: Labels;
  readonly spec?: Node['spec'];
  readonly cpu?: string;
  readonly images?: { names: string[]; sizeBytes: number }[];
  readonly pods?: readonly PodRow[];
}

const needing = (cpu: string): PodSpec => ({ containers: [{ name: 'main', resources: { requests: { cpu } } }] });

function podOf({ labels = {}, spec = {} }: PodRow, uid: string): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name: uid, uid, labels }, spec };
}

function viewOf(rows: Readonly<Record<string, NodeRow>>): ClusterView {
  const nodes = new Map<string, NodeInfo>();
  for (const [name, { labels = {}, spec = {}, cpu = '4', images = [], pods = [] }] of Object.entries(rows)) {
    const allocatable = { cpu, memory: '8Gi', pods: '10' };
    const metadata = { name, labels: { 'kubernetes.io/hostname': name, ...labels } };
    const info = new NodeInfo({ apiVersion: 'v1', kind: 'Node', metadata, spec, status: { allocatable, images } });
    pods.forEach((pod, index) => info.add(podInfoOf(podOf(pod, `${name}-${String(index)}`))));
    nodes.set(name, info);
  }
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'late' } };
  const lateClass = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: {}, provisioner: 'x' };
  return {
    nodes,
    namespace: (name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { team: name } } }),
    claim: (_, name) =>
      name === 'late' ? { ...claim, spec: { storageClassName: 'late' } } : name === 'now' ? claim : undefined,
    volume: () => undefined,
    storageClass: (name) => (name === 'late' ? { ...lateClass, volumeBindingMode: 'WaitForFirstConsumer' } : undefined),
  };
}

/** The node, or why there is none. */
function choose(pod: PodRow, rows: Readonly<Record<string, NodeRow>>): string {
  const choice = chooseNode(podInfoOf(podOf(pod, 'new')), viewOf(rows), () => 0);
  return 'node' in choice ? choice.node : choice.message;
}

const apart = (key: string, app: string): PodSpec => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: key, labelSelector: { matchLabels: { app } } }],
    },
  },
});
const near = (key: string, app: string): PodSpec => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: key, labelSelector: { matchLabels: { app } } }],
    },
  },
});
const host = 'kubernetes.io/hostname';
const hopeless = (nodes: number): string =>
  ` preemption: 0/${String(nodes)} nodes are available: ${String(nodes)} Preemption is not helpful for scheduling.`;
const noVictims = (nodes: number): string =>
  ` preemption: 0/${String(nodes)} nodes are available: ${String(nodes)} No preemption victims found for incoming pod.`;
const taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };

describe("a pod gets a node, or upstream's words why not", () => {
  const rows: readonly (readonly [string, PodRow, Readonly<Record<string, NodeRow>>, string])[] = [
    ['nothing there', {}, {}, 'no nodes available to schedule pods'],
    ['the emptier one', { spec: needing('1') }, { a: { pods: [{ spec: needing('3') }] }, b: {} }, 'b'],
    [
      'too little of cpu',
      { spec: needing('2') },
      { a: { pods: [{ spec: needing('3') }] }, b: { spec: { unschedulable: true } } },
      `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.${noVictims(2)}`,
    ],
    ['never enough', { spec: needing('5') }, { a: {} }, `0/1 nodes are available: 1 Insufficient cpu.${hopeless(1)}`],
    [
      'a taint',
      {},
      { a: { spec: { taints: [taint] } } },
      `0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.${hopeless(1)}`,
    ],
    [
      'a taint that it bears',
      { spec: { tolerations: [{ key: 'gpu', operator: 'Exists' }] } },
      { a: { spec: { taints: [taint] } } },
      'a',
    ],
    [
      'a taint that is only not preferred',
      {},
      { a: { spec: { taints: [{ ...taint, effect: 'PreferNoSchedule' }] } }, b: { pods: [{ spec: needing('1') }] } },
      'b',
    ],
    [
      'no such label',
      { spec: { nodeSelector: { disk: 'ssd' } } },
      { a: {} },
      `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.${hopeless(1)}`,
    ],
    [
      'a port that is taken',
      { spec: { containers: [{ ports: [{ hostPort: 80, containerPort: 80 }] }] } },
      { a: { pods: [{ spec: { containers: [{ ports: [{ hostPort: 80, hostIP: '10.0.0.1' }] }] } }] } },
      `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.${noVictims(1)}`,
    ],
    [
      'away from its like',
      { labels: { app: 'web' }, spec: apart(host, 'web') },
      { a: { pods: [{ labels: { app: 'web' } }] }, b: {} },
      'b',
    ],
    [
      'somebody there wants to be alone',
      { labels: { app: 'web' } },
      { a: { pods: [{ spec: apart(host, 'web') }] } },
      `0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.${noVictims(1)}`,
    ],
    ['near another', { spec: near(host, 'db') }, { a: {}, b: { pods: [{ labels: { app: 'db' } }] } }, 'b'],
    ['the first of its group', { labels: { app: 'db' }, spec: near(host, 'db') }, { a: {} }, 'a'],
    [
      'nobody to be near',
      { spec: near(host, 'db') },
      { a: {} },
      `0/1 nodes are available: 1 node(s) didn't match pod affinity rules.${hopeless(1)}`,
    ],
    [
      'spread',
      {
        labels: { app: 'web' },
        spec: {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'zone',
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: { matchLabels: { app: 'web' } },
            },
          ],
        },
      },
      { a: { labels: { zone: 'x' }, pods: [{ labels: { app: 'web' } }] }, b: { labels: { zone: 'y' } }, c: {} },
      'b',
    ],
    [
      'a claim that is not there',
      { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'lost' } }] } },
      { a: {} },
      `0/1 nodes are available: 1 persistentvolumeclaim "lost" not found.${hopeless(1)}`,
    ],
    [
      'a claim that waits for nobody',
      { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'now' } }] } },
      { a: {} },
      `0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims.${hopeless(1)}`,
    ],
    [
      'a claim that waits for it',
      { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'late' } }] } },
      { a: {} },
      'a',
    ],
    [
      'where its image is',
      { spec: { containers: [{ image: 'app:1' }] } },
      { a: {}, b: { images: [{ names: ['app:1'], sizeBytes: 2 * 1024 ** 3 }] } },
      'b',
    ],
  ];
  for (const [name, pod, nodes, expected] of rows) test(name, () => assert.equal(choose(pod, nodes), expected));
});
