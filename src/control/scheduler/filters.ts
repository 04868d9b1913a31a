import type { Taint } from '#kube/types/gen/core-v1.ts';

import { interPodAffinity } from './inter-pod-affinity.ts';
import { matchesTerms, tolerates } from './node-matching.ts';
import type { HostPort, NodeInfo } from './node-info.ts';
import { type Filter, type Refusal, specOf } from './plugin.ts';
import { topologySpread } from './topology-spread.ts';
import { volumeBinding } from './volume-binding.ts';

const hard: readonly string[] = ['NoSchedule', 'NoExecute'];
const unschedulableTaint: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

const nodeUnschedulable: Filter = {
  name: 'NodeUnschedulable',
  prepare: (pod) => {
    if (tolerates(specOf(pod).tolerations ?? [], unschedulableTaint)) return undefined;
    const refusal = final('node(s) were unschedulable');
    return ({ node }) => (node.spec?.unschedulable === true ? refusal : undefined);
  },
};

const nodeName: Filter = {
  name: 'NodeName',
  prepare: (pod) => {
    const { nodeName: wanted = '' } = specOf(pod);
    return wanted === '' ? undefined : ({ name }) => (name === wanted ? undefined : nodeNameRefusal);
  },
};
const nodeNameRefusal = final("node(s) didn't match the requested node name");

const taintToleration: Filter = {
  name: 'TaintToleration',
  prepare: (pod) => {
    const { tolerations = [] } = specOf(pod);
    return ({ node }) => {
      const taint = node.spec?.taints?.find((one) => hard.includes(one.effect ?? '') && !tolerates(tolerations, one));
      if (taint === undefined) return undefined;
      return final(`node(s) had untolerated taint {${taint.key ?? ''}: ${taint.value ?? ''}}`);
    };
  },
};

const nodeAffinity: Filter = {
  name: 'NodeAffinity',
  prepare: (pod) => {
    const { nodeSelector = {}, affinity } = specOf(pod);
    const labels = Object.entries(nodeSelector);
    const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    if (labels.length === 0 && terms === undefined) return undefined;
    return ({ node }) => {
      const matches =
        labels.every(([key, value]) => node.metadata.labels?.[key] === value) &&
        (terms === undefined || matchesTerms(terms, node));
      return matches ? undefined : affinityRefusal;
    };
  },
};
const affinityRefusal = final("node(s) didn't match Pod's node affinity/selector");

const nodePorts: Filter = {
  name: 'NodePorts',
  prepare: ({ ports }) => {
    if (ports.length === 0) return undefined;
    const refusal = passing("node(s) didn't have free ports for the requested pod ports");
    return ({ pods }) => {
      for (const other of pods.values())
        if (other.ports.some((taken) => ports.some((wanted) => collide(taken, wanted)))) return refusal;
      return undefined;
    };
  },
};

function collide(one: HostPort, other: HostPort): boolean {
  if (one.port !== other.port || one.protocol !== other.protocol) return false;
  return one.ip === other.ip || one.ip === '0.0.0.0' || other.ip === '0.0.0.0';
}

const nodeResourcesFit: Filter = {
  name: 'NodeResourcesFit',
  prepare: ({ requests }) => {
    const wanted = [...requests].filter(([, amount]) => amount > 0);
    return (node) => {
      const missing = wanted
        .filter(([name, amount]) => amount > freeOf(node, name))
        // What even an empty node has too little of does not come by others' leaving.
        .map(([name, amount]): Refusal => ({
          reason: `Insufficient ${name}`,
          isFinal: amount > (node.allocatable.get(name) ?? 0),
        }));
      const isFull = node.pods.size + 1 > (node.allocatable.get('pods') ?? 0);
      const all = isFull ? [{ reason: 'Too many pods', isFinal: false }, ...missing] : missing;
      return all.length === 0 ? undefined : all;
    };
  },
};

function freeOf({ allocatable, requested }: NodeInfo, name: string): number {
  return (allocatable.get(name) ?? 0) - (requested.get(name) ?? 0);
}

function final(reason: string): readonly Refusal[] {
  return [{ reason, isFinal: true }];
}

function passing(reason: string): readonly Refusal[] {
  return [{ reason, isFinal: false }];
}

/** In upstream's order: the first that refuses a node is the one that is told. */
export const filters: readonly Filter[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeBinding,
  topologySpread,
  interPodAffinity,
];
