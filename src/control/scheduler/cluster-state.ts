import type { Change } from '#kube/client/object-cache.ts';
import type { Node, Pod } from '#kube/types/gen/core-v1.ts';

import { NodeInfo, type PodInfo, podInfoOf } from './node-info.ts';

/** The nodes with the pods on them, kept as the API tells of changes, and ahead of it by what was decided since. */
export class ClusterState {
  readonly nodes = new Map<string, NodeInfo>();
  /** Where a pod counts, by its uid. */
  readonly #places = new Map<string, string>();
  /** Pods on nodes that are not known, by node. */
  readonly #waiting = new Map<string, Map<string, PodInfo>>();
  /** Decisions that the API has not told of yet, by uid. */
  readonly #assumed = new Map<string, string>();

  onNode({ type, object }: Change<Node>): void {
    const name = object.metadata.name ?? '';
    const known = this.nodes.get(name);
    if (type === 'deleted') {
      this.nodes.delete(name);
      if (known !== undefined && known.pods.size > 0) this.#waiting.set(name, new Map(known.pods));
      return;
    }
    if (known !== undefined) {
      known.node = object;
      return;
    }
    const info = new NodeInfo(object);
    this.nodes.set(name, info);
    for (const pod of this.#waiting.get(name)?.values() ?? []) info.add(pod);
    this.#waiting.delete(name);
  }

  onPod({ type, object }: Change<Pod>): void {
    const { uid = '' } = object.metadata;
    const nodeName = object.spec?.nodeName ?? '';
    const isOver = ['Succeeded', 'Failed'].includes(object.status?.phase ?? '');
    if (type === 'deleted' || isOver) {
      this.#assumed.delete(uid);
      this.#remove(uid);
    } else if (nodeName !== '') {
      this.#assumed.delete(uid);
      this.#place(podInfoOf(object), nodeName);
    } else if (!this.#assumed.has(uid)) this.#remove(uid);
  }

  /** Counts a pod on a node before the API says so. */
  assume(info: PodInfo, nodeName: string): void {
    this.#assumed.set(info.pod.metadata.uid ?? '', nodeName);
    this.#place(info, nodeName);
  }

  /** The pod does not get there after all. */
  forget({ pod }: PodInfo): void {
    const { uid = '' } = pod.metadata;
    if (this.#assumed.delete(uid)) this.#remove(uid);
  }

  isAssumed({ metadata }: Pod): boolean {
    return this.#assumed.has(metadata.uid ?? '');
  }

  #place(info: PodInfo, nodeName: string): void {
    const { uid = '' } = info.pod.metadata;
    if (this.#places.get(uid) !== nodeName) this.#remove(uid);
    this.#places.set(uid, nodeName);
    const node = this.nodes.get(nodeName);
    if (node !== undefined) node.add(info);
    else this.#waiting.set(nodeName, (this.#waiting.get(nodeName) ?? new Map<string, PodInfo>()).set(uid, info));
  }

  #remove(uid: string): void {
    const place = this.#places.get(uid);
    if (place === undefined) return;
    this.#places.delete(uid);
    this.nodes.get(place)?.remove(uid);
    const waiting = this.#waiting.get(place);
    waiting?.delete(uid);
    if (waiting?.size === 0) this.#waiting.delete(place);
  }
}
