import type { Resource } from '#kube/resource.ts';
import type { PersistentVolume, PersistentVolumeClaim, PodSpec } from '#kube/types/gen/core-v1.ts';
import type { StorageClass } from '#kube/types/gen/storage-v1.ts';

import type { NodeInfo, PodInfo } from './node-info.ts';

/** What decisions are made from. */
export interface ClusterView {
  readonly nodes: ReadonlyMap<string, NodeInfo>;
  namespace(name: string): Resource | undefined;
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
}

/** Why a pod cannot run on a node, in upstream's words. */
export interface Refusal {
  readonly reason: string;
  /** That others make room would not help. */
  readonly isFinal: boolean;
}

/** Says for each node whether a pod can run there. `prepare` looks at the pod once. */
export interface Filter {
  /** Upstream's name of the plugin. */
  readonly name: string;
  prepare(pod: PodInfo, view: ClusterView): NodeFilter | undefined;
}

/** The reasons against a node, or undefined. Throws PodRefusal when no node can do. */
export type NodeFilter = (node: NodeInfo) => readonly Refusal[] | undefined;

/** Says how good a node is, from 0 to 100 after all nodes were seen. */
export interface Score {
  readonly name: string;
  readonly weight: number;
  /** Undefined: nothing to compare by. */
  prepare(pod: PodInfo, view: ClusterView): NodeScore | undefined;
}

export interface NodeScore {
  of(node: NodeInfo): number;
  /** `higher`: the best gets 100 and the others in proportion; `lower`: the other way about; none: they are that already. */
  readonly scale?: 'higher' | 'lower';
}

/** No node at all will do, whatever they are. */
export class PodRefusal extends Error {
  readonly isFinal = true;
}

export const scoreMost = 100;

export function specOf({ pod }: PodInfo): PodSpec {
  return pod.spec ?? {};
}
