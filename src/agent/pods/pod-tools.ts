import type { Engine } from '#engine/engine.ts';
import type { Client } from '#kube/client/client.ts';
import { kindOf } from '#kube/client/client.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import type { PodFacts, PodSources } from '../environment/pod-sources.ts';
import type { PodProbes } from '../probes/pod-probes.ts';
import type { Prober } from '../probes/prober.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { StartBackoffs } from './start-backoffs.ts';
import type { TerminationMessages } from './termination-messages.ts';

export const pods = kindOf<Pod>(pod);

/** What there is to run pods with. */
export interface PodTools {
  readonly client: Client;
  readonly engine: Pick<Engine, 'containers' | 'sandboxes' | 'images' | 'events'>;
  readonly volumes: PodVolumes;
  readonly sources: PodSources;
  readonly node: Omit<PodFacts, 'podIPs'> & {
    readonly memoryBytes: number;
    /** The engine's network that pods are on. */
    readonly network: string;
    /** Address of the cluster's DNS, and the domain of its services. */
    readonly dnsServer: string;
    readonly domain: string;
    /** The text of a seccomp profile of this node by its relative path; throws when there is none. */
    readonly readProfile: (path: string) => string;
  };
  /** Tells an event about a pod, or what `fieldPath` names of it. */
  readonly record: (pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string) => void;
  readonly nowMs: () => number;
  readonly prober: Prober;
  readonly messages: TerminationMessages;
  readonly starts: StartBackoffs;
  readonly probes: Pick<PodProbes, 'follow' | 'keepOnly' | 'stateOf'>;
}

/** The facts of one pod, with the addresses that its sandbox has. */
export function factsOf({ node }: PodTools, podIPs: readonly string[]): PodFacts {
  const { nodeName, hostIPs, allocatable } = node;
  return { nodeName, hostIPs, podIPs, allocatable };
}

/** A container as events name it: `spec.containers{main}`. */
export function fieldOf({ spec }: Pod, name: string): string {
  const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;
  const list = lists.find((one) => spec?.[one]?.some((container) => container.name === name)) ?? 'containers';
  return `spec.${list}{${name}}`;
}

/** By which the node reaches what a pod's containers listen on. */
export function addressOf({ spec }: Pod, { node }: PodTools, podIPs: readonly string[]): string {
  return (spec?.hostNetwork === true ? node.hostIPs[0] : podIPs[0]) ?? '127.0.0.1';
}

/** A container of a pod by name, of whatever kind. */
export function containerNamed({ spec }: Pod, name: string): Container | undefined {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])];
  return all.find((container) => container.name === name);
}
