import type { ContainerImage, Node, NodeCondition, NodeStatus } from '#kube/types/gen/core-v1.ts';

import type { NodeFacts } from './node-facts.ts';

export interface NodeDescription {
  readonly name: string;
  /** By which others reach it. */
  readonly address: string;
  /** Of its pods, `a.b.c.d/len`. */
  readonly podCidr: string;
  readonly facts: NodeFacts;
  /** The version of Kubernetes that it speaks, and what runs its containers, such as `slipway://0.1.0`. */
  readonly versions: { readonly kubelet: string; readonly runtime: string };
}

/** Upstream's limit of pods on one node. */
const podsMost = 110;
/** The largest images, as many as upstream tells. */
const imagesMost = 50;
/** What is left to the machine itself when memory is given to pods (upstream's `memory.available<100Mi`). */
const keptMemoryBytes = 100 * 1024 * 1024;
/** The share of the disk that may be full of pods' files (`nodefs.available<10%`). */
const diskShare = 0.9;

/** The object as it is made first. */
export function nodeOf({ name, podCidr, facts }: NodeDescription): Node {
  const labels = {
    'kubernetes.io/arch': facts.architecture,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': name,
    'beta.kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': 'linux',
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: { podCIDR: podCidr, podCIDRs: [podCidr] },
  };
}

/** What a node tells of itself. `before`: what it told last, whose transitions stay. `time`: RFC 3339 with whole seconds. */
export function nodeStatusOf(
  description: NodeDescription,
  images: readonly ContainerImage[],
  before: NodeStatus | undefined,
  time: string,
): NodeStatus {
  const { name, address, facts, versions } = description;
  const capacity = {
    cpu: String(facts.cpuCount),
    memory: kibibytes(facts.memoryBytes),
    'ephemeral-storage': kibibytes(facts.diskBytes),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: String(podsMost),
  };
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    capacity,
    allocatable: {
      ...capacity,
      memory: kibibytes(Math.max(0, facts.memoryBytes - keptMemoryBytes)),
      'ephemeral-storage': String(Math.floor(facts.diskBytes * diskShare)),
    },
    conditions: states.map((state) => conditionOf(state, before?.conditions ?? [], time)),
    images: images.toSorted((one, other) => (other.sizeBytes ?? 0) - (one.sizeBytes ?? 0)).slice(0, imagesMost),
    nodeInfo: {
      architecture: facts.architecture,
      bootID: facts.bootId,
      containerRuntimeVersion: versions.runtime,
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: versions.kubelet,
      machineID: facts.machineId,
      operatingSystem: 'linux',
      osImage: facts.osImage,
      systemUUID: facts.systemUuid,
    },
  };
}

/** Type, status, reason and message of each condition while nothing is wrong, in upstream's words. */
const states = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const;

function conditionOf(
  [type, status, reason, message]: (typeof states)[number],
  before: readonly NodeCondition[],
  time: string,
): NodeCondition {
  const last = before.find((one) => one.type === type);
  const lastTransitionTime = (last?.status === status ? last.lastTransitionTime : undefined) ?? time;
  return { type, status, reason, message, lastHeartbeatTime: time, lastTransitionTime };
}

function kibibytes(bytes: number): string {
  return `${String(Math.floor(bytes / 1024))}Ki`;
}
