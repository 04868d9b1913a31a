import type { Node, Pod } from '#kube/types/gen/core-v1.ts';

import { type Amounts, amountsOf, assumedRequests, podRequests } from './pod-requests.ts';

/** A port of the host that a pod has. */
export interface HostPort {
  readonly protocol: string;
  readonly ip: string;
  readonly port: number;
}

/** A pod with what decisions need of it, worked out once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly requests: Amounts;
  readonly assumed: Amounts;
  readonly ports: readonly HostPort[];
}

export function podInfoOf(pod: Pod): PodInfo {
  return { pod, requests: podRequests(pod.spec), assumed: assumedRequests(pod.spec), ports: portsOf(pod) };
}

function portsOf({ spec }: Pod): readonly HostPort[] {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, hostIP, protocol = 'TCP' }) => ({
        protocol,
        port: hostPort,
        ip: hostIP === undefined || hostIP === '' ? '0.0.0.0' : hostIP,
      })),
  );
}

/** A node with its pods, and what they take of it. */
export class NodeInfo {
  readonly pods = new Map<string, PodInfo>();
  /** Those that do not want some others near them. */
  readonly shunning = new Map<string, PodInfo>();
  readonly requested = new Map<string, number>();
  readonly assumed = new Map<string, number>();
  #node: Node;
  #allocatable: Amounts;

  constructor(node: Node) {
    this.#node = node;
    this.#allocatable = amountsOf(node.status?.allocatable);
  }

  get node(): Node {
    return this.#node;
  }

  set node(node: Node) {
    this.#node = node;
    this.#allocatable = amountsOf(node.status?.allocatable);
  }

  get name(): string {
    return this.#node.metadata.name ?? '';
  }

  get allocatable(): Amounts {
    return this.#allocatable;
  }

  label(key: string): string | undefined {
    return this.#node.metadata.labels?.[key];
  }

  add(info: PodInfo): void {
    const uid = info.pod.metadata.uid ?? '';
    this.remove(uid);
    this.pods.set(uid, info);
    if (info.pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined)
      this.shunning.set(uid, info);
    this.#count(info, 1);
  }

  remove(uid: string): void {
    const info = this.pods.get(uid);
    if (info === undefined) return;
    this.pods.delete(uid);
    this.shunning.delete(uid);
    this.#count(info, -1);
  }

  #count({ requests, assumed }: PodInfo, sign: 1 | -1): void {
    for (const [name, amount] of requests) this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount);
    for (const [name, amount] of assumed) this.assumed.set(name, (this.assumed.get(name) ?? 0) + sign * amount);
  }
}
