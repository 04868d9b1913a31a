import { isEqualJson } from '#base/json.ts';
import type { Deployment, ReplicaSet } from '#kube/types/gen/apps-v1.ts';
import type { PodTemplateSpec } from '#kube/types/gen/core-v1.ts';

import { desiredAnnotation, maxAnnotation, newSetReplicas, replicaLimits } from './deployment-rollout.ts';
import { templateHash } from './template-hash.ts';
import { controllerReference } from './templated-pod.ts';

const hashLabel = 'pod-template-hash';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
/** Characters of the annotation that tells earlier revisions. */
const historyMost = 2000;
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
]);

export interface DeploymentSets {
  /** The set of the template of today. */
  readonly current: ReplicaSet | undefined;
  /** All others, the oldest first. */
  readonly old: readonly ReplicaSet[];
}

/** Tells the set of the template of today from those of earlier ones. */
export function deploymentSets(deployment: Deployment, all: readonly ReplicaSet[]): DeploymentSets {
  const byAge = all.toSorted((one, other) => timeOf(one) - timeOf(other) || (nameOf(one) < nameOf(other) ? -1 : 1));
  const wanted = withoutHash(deployment.spec?.template);
  const current = byAge.find(({ spec }) => isEqualJson(withoutHash(spec?.template), wanted));
  return { current, old: byAge.filter((set) => set !== current) };
}

/** The set that a deployment needs for a template that has none yet. */
export function newReplicaSet(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet {
  const { name = '', namespace = '' } = deployment.metadata;
  const { template = {}, selector = {}, minReadySeconds } = deployment.spec ?? {};
  const hash = templateHash(template, deployment.status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: {
        ...copiedAnnotations(deployment),
        [revisionAnnotation]: String(highestRevision(old) + 1),
        ...replicaAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: newSetReplicas(deployment, 0, old),
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** The set with the annotations and the revision that it has to have as the one of today. */
export function asCurrent(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): ReplicaSet {
  const before = current.metadata.annotations ?? {};
  const annotations: Record<string, string> = { ...before, ...copiedAnnotations(deployment) };
  const revision = highestRevision(old) + 1;
  if (revisionOf(current) < revision) {
    annotations[revisionAnnotation] = String(revision);
    const earlier = before[revisionAnnotation];
    if (earlier !== undefined) annotations[historyAnnotation] = history(before[historyAnnotation], earlier);
  }
  const { minReadySeconds = 0 } = deployment.spec ?? {};
  if (isEqualJson(annotations, before) && (current.spec?.minReadySeconds ?? 0) === minReadySeconds) return current;
  return { ...current, metadata: { ...current.metadata, annotations }, spec: { ...current.spec, minReadySeconds } };
}

/** What each set says of its deployment, so that scaling is told from a rollout. */
export function replicaAnnotations(deployment: Deployment): Readonly<Record<string, string>> {
  const { replicas, maxSurge } = replicaLimits(deployment);
  return { [desiredAnnotation]: String(replicas), [maxAnnotation]: String(replicas + maxSurge) };
}

/** Whether the deployment was given another number of replicas than its sets know of. */
export function isScaled(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  const { replicas } = replicaLimits(deployment);
  return all.some(({ spec, metadata }) => {
    const desired = metadata.annotations?.[desiredAnnotation];
    return (spec?.replicas ?? 0) > 0 && desired !== undefined && desired !== String(replicas);
  });
}

/** Old sets beyond the history that is kept; those that still have pods stay. */
export function surplusSets({ spec }: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const limit = spec?.revisionHistoryLimit ?? Infinity;
  const there = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const count = Math.max(there.length - limit, 0);
  return there
    .toSorted((one, other) => revisionOf(one) - revisionOf(other))
    .slice(0, count)
    .filter(
      ({ metadata, spec, status }) =>
        (status?.replicas ?? 0) === 0 &&
        spec?.replicas === 0 &&
        (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0),
    );
}

function revisionOf({ metadata }: ReplicaSet): number {
  const text = metadata.annotations?.[revisionAnnotation] ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

export function withoutHash(template: PodTemplateSpec = {}): PodTemplateSpec {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function highestRevision(sets: readonly ReplicaSet[]): number {
  return Math.max(0, ...sets.map(revisionOf));
}

function copiedAnnotations({ metadata }: Deployment): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key)));
}

function history(before: string | undefined, revision: string): string {
  const all = [...(before ?? '').split(',').filter((one) => one !== ''), revision];
  while (all.join(',').length > historyMost) all.shift();
  return all.join(',');
}

function timeOf({ metadata }: ReplicaSet): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

function nameOf({ metadata }: ReplicaSet): string {
  return metadata.name ?? '';
}
