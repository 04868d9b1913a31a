import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import type { Pod, TopologySpreadConstraint } from '#kube/types/gen/core-v1.ts';

import { matchesTerms, tolerates } from './node-matching.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { type ClusterView, type Filter, specOf } from './plugin.ts';

const missingLabel = [
  { reason: "node(s) didn't match pod topology spread constraints (missing required label)", isFinal: true },
];
const uneven = [{ reason: "node(s) didn't match pod topology spread constraints", isFinal: false }];

/** Pods of a kind, spread evenly over the values of a label of nodes (KEP-895). */
export const topologySpread: Filter = {
  name: 'PodTopologySpread',
  prepare: (info, view) => {
    const constraints = (specOf(info).topologySpreadConstraints ?? []).filter(
      ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
    );
    if (constraints.length === 0) return undefined;
    const counted = constraints.map((constraint) => ({
      constraint,
      counts: countsOf(constraint, info, view, constraints),
    }));
    return (node) => {
      for (const { constraint, counts } of counted) {
        const value = node.label(constraint.topologyKey ?? '');
        if (value === undefined) return missingLabel;
        const { maxSkew = 1, minDomains = 1 } = constraint;
        const least = counts.size < minDomains ? 0 : Math.min(...counts.values());
        const own = isCounted(constraint, info.pod, info.pod) ? 1 : 0;
        if ((counts.get(value) ?? 0) + own - least > maxSkew) return uneven;
      }
      return undefined;
    };
  },
};

/** Pods that count, by value of the label, on nodes where the pod might run. */
export function countsOf(
  constraint: TopologySpreadConstraint,
  info: PodInfo,
  view: ClusterView,
  all: readonly TopologySpreadConstraint[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const node of view.nodes.values()) {
    if (all.some(({ topologyKey = '' }) => node.label(topologyKey) === undefined)) continue;
    const value = node.label(constraint.topologyKey ?? '');
    if (value === undefined || !isEligible(constraint, info, node)) continue;
    let count = counts.get(value) ?? 0;
    for (const { pod } of node.pods.values()) if (isCounted(constraint, info.pod, pod)) count += 1;
    counts.set(value, count);
  }
  return counts;
}

function isCounted({ labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint, owner: Pod, pod: Pod): boolean {
  if (pod.metadata.namespace !== owner.metadata.namespace || pod.metadata.deletionTimestamp !== undefined) return false;
  const selection = labelSelector === undefined ? undefined : selectionOf(labelSelector);
  if (selection === undefined || !matchesLabels(selection, pod.metadata.labels)) return false;
  return matchLabelKeys.every((key) => {
    const wanted = owner.metadata.labels?.[key];
    return wanted === undefined || pod.metadata.labels?.[key] === wanted;
  });
}

/** Whether the pods of a node count: by default on those that the pod's affinity lets in, whatever their taints. */
function isEligible(
  { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' }: TopologySpreadConstraint,
  info: PodInfo,
  { node }: NodeInfo,
): boolean {
  const { nodeSelector = {}, affinity, tolerations = [] } = specOf(info);
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const isWanted =
    Object.entries(nodeSelector).every(([key, value]) => node.metadata.labels?.[key] === value) &&
    (terms === undefined || matchesTerms(terms, node));
  if (nodeAffinityPolicy === 'Honor' && !isWanted) return false;
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule');
  return nodeTaintsPolicy !== 'Honor' || taints.every((taint) => tolerates(tolerations, taint));
}
