import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import type { LabelSelector } from '#kube/types/gen/meta-v1.ts';
import type { Pod, PodAffinityTerm } from '#kube/types/gen/core-v1.ts';

import type { PodInfo } from './node-info.ts';
import { type ClusterView, type Filter, type Refusal, specOf } from './plugin.ts';

const refusals = {
  affinity: [{ reason: "node(s) didn't match pod affinity rules", isFinal: true }],
  antiAffinity: [{ reason: "node(s) didn't match pod anti-affinity rules", isFinal: false }],
  existing: [{ reason: "node(s) didn't satisfy existing pods anti-affinity rules", isFinal: false }],
} as const satisfies Record<string, readonly Refusal[]>;

/** Pods that must be near others, or must not; also what pods that are there do not want near them. */
export const interPodAffinity: Filter = {
  name: 'InterPodAffinity',
  prepare: (info, view) => {
    const { affinity } = specOf(info);
    const near = requiredOf(affinity?.podAffinity);
    const apart = requiredOf(affinity?.podAntiAffinity);
    const nearTerms = near.map((term) => placesOf(term, info.pod, view));
    const apartTerms = apart.map((term) => placesOf(term, info.pod, view));
    const shunned = shunnedPlaces(info, view);
    if (near.length + apart.length + shunned.size === 0) return undefined;
    // The first of a group that wants to be together finds nobody: it is let in where its terms are about itself.
    const isFirst =
      nearTerms.every(({ values }) => values.size === 0) &&
      near.every((term) => isAbout(term, info.pod, info.pod, view));
    return (node) => {
      const isNear = (place: Place): boolean => place.values.has(node.label(place.key) ?? '\0');
      const hasKeys = near.every(({ topologyKey = '' }) => node.label(topologyKey) !== undefined);
      if (near.length > 0 && !(hasKeys && (isFirst || nearTerms.every(isNear)))) return refusals.affinity;
      if (apartTerms.some(isNear)) return refusals.antiAffinity;
      for (const [key, values] of shunned) if (values.has(node.label(key) ?? '\0')) return refusals.existing;
      return undefined;
    };
  },
};

/** Values of a topology key where pods are that a term is about. */
interface Place {
  readonly key: string;
  readonly values: ReadonlySet<string>;
}

function requiredOf(
  affinity: { requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[] } | undefined,
): readonly PodAffinityTerm[] {
  return affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

function placesOf(term: PodAffinityTerm, owner: Pod, view: ClusterView): Place {
  const { topologyKey: key = '' } = term;
  const values = new Set<string>();
  for (const node of view.nodes.values()) {
    const value = node.label(key);
    if (value === undefined || values.has(value)) continue;
    for (const { pod } of node.pods.values())
      if (isAbout(term, owner, pod, view)) {
        values.add(value);
        break;
      }
  }
  return { key, values };
}

/** Values of topology keys where a pod is that does not want the new one near it. */
function shunnedPlaces({ pod }: PodInfo, view: ClusterView): ReadonlyMap<string, ReadonlySet<string>> {
  const places = new Map<string, Set<string>>();
  for (const node of view.nodes.values())
    for (const other of node.shunning.values())
      for (const term of requiredOf(other.pod.spec?.affinity?.podAntiAffinity)) {
        const { topologyKey: key = '' } = term;
        const value = node.label(key);
        if (value === undefined || places.get(key)?.has(value) === true || !isAbout(term, other.pod, pod, view))
          continue;
        places.set(key, (places.get(key) ?? new Set<string>()).add(value));
      }
  return places;
}

/** Whether a term of `owner` is about `pod`. */
export function isAbout(term: PodAffinityTerm, owner: Pod, pod: Pod, view: ClusterView): boolean {
  const { namespaces = [], namespaceSelector, labelSelector } = term;
  const own = owner.metadata.namespace ?? '';
  const namespace = pod.metadata.namespace ?? '';
  const isNamed =
    namespaces.includes(namespace) || (namespaces.length === 0 && namespaceSelector === undefined && namespace === own);
  if (!isNamed && !selects(namespaceSelector, view.namespace(namespace)?.metadata.labels)) return false;
  if (!selects(labelSelector, pod.metadata.labels)) return false;
  const labelOf = (one: Pod, key: string): string | undefined => one.metadata.labels?.[key];
  return (
    (term.matchLabelKeys ?? []).every(
      (key) => labelOf(owner, key) === undefined || labelOf(pod, key) === labelOf(owner, key),
    ) && (term.mismatchLabelKeys ?? []).every((key) => labelOf(pod, key) !== labelOf(owner, key))
  );
}

function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>> | undefined): boolean {
  const selection = selector === undefined ? undefined : selectionOf(selector);
  return selection !== undefined && matchesLabels(selection, labels);
}
