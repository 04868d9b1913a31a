import type { Affinity, Node, NodeSelectorTerm, Pod, PodSpec, Taint, Toleration } from '#kube/types/gen/core-v1.ts';

import { matchesTerms, tolerates } from '../scheduler/node-matching.ts';

const prefix = 'node.kubernetes.io/';
const always: readonly Toleration[] = [
  { key: `${prefix}not-ready`, operator: 'Exists', effect: 'NoExecute' },
  { key: `${prefix}unreachable`, operator: 'Exists', effect: 'NoExecute' },
  { key: `${prefix}disk-pressure`, operator: 'Exists', effect: 'NoSchedule' },
  { key: `${prefix}memory-pressure`, operator: 'Exists', effect: 'NoSchedule' },
  { key: `${prefix}pid-pressure`, operator: 'Exists', effect: 'NoSchedule' },
  { key: `${prefix}unschedulable`, operator: 'Exists', effect: 'NoSchedule' },
];
const onHostNetwork: Toleration = { key: `${prefix}network-unavailable`, operator: 'Exists', effect: 'NoSchedule' };

/** The spec of a daemon's pod for one node: bound to it by affinity, and bearing what befalls nodes. */
export function daemonPodSpec(spec: PodSpec, nodeName: string): PodSpec {
  return { ...spec, affinity: affinityTo(spec.affinity, nodeName), tolerations: tolerationsOf(spec) };
}

/** Whether a node is to have a daemon's pod, and whether one that it has may go on. */
export function nodeWants(spec: PodSpec, node: Node): { readonly shouldRun: boolean; readonly mayContinue: boolean } {
  const name = node.metadata.name ?? '';
  if (spec.nodeName !== undefined && spec.nodeName !== '' && spec.nodeName !== name) return no;
  const { nodeSelector = {}, affinity } = spec;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const labels = Object.entries(nodeSelector);
  if (!labels.every(([key, value]) => node.metadata.labels?.[key] === value)) return no;
  if (terms !== undefined && !matchesTerms(terms, node)) return no;
  const tolerations = tolerationsOf(spec);
  const bad = (node.spec?.taints ?? []).filter((taint) => isHard(taint) && !tolerates(tolerations, taint));
  if (bad.length === 0) return { shouldRun: true, mayContinue: true };
  return { shouldRun: false, mayContinue: bad.every(({ effect }) => effect !== 'NoExecute') };
}

/** The node that a daemon's pod is on, or is made for. */
export function targetOf({ spec }: Pod): string | undefined {
  if (spec?.nodeName !== undefined && spec.nodeName !== '') return spec.nodeName;
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms
    .flatMap(({ matchFields = [] }) => matchFields)
    .find(({ key, operator, values }) => key === 'metadata.name' && operator === 'In' && values?.length === 1)
    ?.values?.[0];
}

const no = { shouldRun: false, mayContinue: false } as const;

function isHard({ effect }: Taint): boolean {
  return effect === 'NoSchedule' || effect === 'NoExecute';
}

function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const added = hostNetwork === true ? [...always, onHostNetwork] : always;
  const isSame = (one: Toleration, other: Toleration): boolean => one.key === other.key && one.effect === other.effect;
  const own = tolerations.filter((one) => !added.some((other) => isSame(one, other)));
  return [...own, ...added];
}

function affinityTo(affinity: Affinity | undefined, nodeName: string): Affinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [nodeName] }];
  const nodeAffinity = affinity?.nodeAffinity;
  const before = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const nodeSelectorTerms: NodeSelectorTerm[] =
    before === undefined ? [{ matchFields }] : before.map((term) => ({ ...term, matchFields }));
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  return { ...affinity, nodeAffinity: { ...nodeAffinity, ...required } };
}
