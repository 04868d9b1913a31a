import type { OwnerReference } from '#kube/resource.ts';
import type { ControllerRevision, StatefulSet } from '#kube/types/gen/apps-v1.ts';
import type { PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';

import { revisionLabel, templateOf } from './revisions.ts';
import { controllerReference, templatedPod } from './templated-pod.ts';

const nameLabel = 'statefulset.kubernetes.io/pod-name';
const indexLabel = 'apps.kubernetes.io/pod-index';

/** The pod of an ordinal, of the template that a revision keeps. */
export function statefulPod(set: StatefulSet, ordinal: number, revision: ControllerRevision): Pod {
  const name = podNameOf(set, ordinal);
  const { metadata, spec, ...pod } = templatedPod(templateOf(revision), set);
  const { generateName: _, ...rest } = metadata;
  const claims = set.spec?.volumeClaimTemplates ?? [];
  const claimed = new Set(claims.map((claim) => claim.metadata.name));
  const volumes = [
    ...claims.map((claim) => ({
      name: claim.metadata.name ?? '',
      persistentVolumeClaim: { claimName: claimNameOf(claim, name) },
    })),
    ...(spec?.volumes ?? []).filter((volume) => !claimed.has(volume.name)),
  ];
  const labels = {
    ...metadata.labels,
    [nameLabel]: name,
    [indexLabel]: String(ordinal),
    [revisionLabel]: revision.metadata.name ?? '',
  };
  const subdomain = set.spec?.serviceName ?? '';
  return {
    ...pod,
    metadata: { ...rest, name, labels },
    spec: {
      ...spec,
      hostname: name,
      ...(subdomain === '' ? {} : { subdomain }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

export function podNameOf({ metadata }: StatefulSet, ordinal: number): string {
  return `${metadata.name ?? ''}-${String(ordinal)}`;
}

/** The ordinal in a pod's name; undefined when its name is not one of the set's. */
export function ordinalOf({ metadata }: StatefulSet, pod: Pod): number | undefined {
  const [, base, digits = ''] = /^(.*)-(\d{1,9})$/.exec(pod.metadata.name ?? '') ?? [];
  return base === metadata.name && digits === String(Number(digits)) ? Number(digits) : undefined;
}

/** The claims of a pod of the set. */
export function claimsOf(set: StatefulSet, podName: string): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    ...template,
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...template.metadata,
      name: claimNameOf(template, podName),
      namespace: set.metadata.namespace ?? '',
      labels: { ...template.metadata.labels, ...set.spec?.selector?.matchLabels },
      ownerReferences: claimOwners(set, undefined, []),
    },
  }));
}

/** Who owns a claim, so that it goes with its set, or with a pod that is scaled away, as the set asks. */
export function claimOwners(
  set: StatefulSet,
  scaledAway: Pod | undefined,
  before: readonly OwnerReference[],
): readonly OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const others = before.filter(({ uid, kind }) => uid !== set.metadata.uid && kind !== 'Pod');
  if (scaledAway !== undefined && whenScaled === 'Delete') return [...others, controllerReference(scaledAway)];
  return whenDeleted === 'Delete' ? [...others, controllerReference(set)] : others;
}

function claimNameOf({ metadata }: PersistentVolumeClaim, podName: string): string {
  return `${metadata.name ?? ''}-${podName}`;
}
