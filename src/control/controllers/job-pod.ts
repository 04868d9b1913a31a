import { randomBelow } from '#base/ids.ts';
import type { Job } from '#kube/types/gen/batch-v1.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
const indexKey = 'batch.kubernetes.io/job-completion-index';
const failuresKey = 'batch.kubernetes.io/job-index-failure-count';
const indexVariable = 'JOB_COMPLETION_INDEX';
const letters = 'bcdfghjklmnpqrstvwxz2456789';

export interface PodOrder {
  readonly index?: number;
  /** How often pods of the index failed before. */
  readonly failures?: number;
}

/** The pod that a job makes of its template. */
export function podOf(job: Job, { index, failures }: PodOrder): Pod {
  const { name = '', namespace = '', uid = '' } = job.metadata;
  const { metadata = {}, spec = {} } = job.spec?.template ?? {};
  const base = index === undefined ? name : `${name}-${String(index)}`;
  const generateName = `${base.slice(0, 57)}-`;
  const suffix = Array.from({ length: 5 }, () => letters[randomBelow(letters.length)]).join('');
  const indexed = index === undefined ? {} : { [indexKey]: String(index) };
  const counted = failures === undefined ? {} : { [failuresKey]: String(failures) };
  const ownerReferences = [
    { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      generateName,
      name: `${generateName}${suffix}`,
      namespace,
      labels: { ...metadata.labels, ...indexed },
      annotations: { ...metadata.annotations, ...indexed, ...counted },
      finalizers: [...(metadata.finalizers ?? []), trackingFinalizer],
      ownerReferences,
    },
    spec: index === undefined ? spec : withIndex(spec, base),
  };
}

/** The index of an indexed job's pod. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexKey] ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export function failuresBefore({ metadata }: Pod): number {
  return Number(metadata.annotations?.[failuresKey] ?? 0);
}

function withIndex(spec: NonNullable<Pod['spec']>, base: string): NonNullable<Pod['spec']> {
  const addTo = (container: Container): Container => {
    if (container.env?.some(({ name }) => name === indexVariable) === true) return container;
    const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.labels['${indexKey}']` };
    return { ...container, env: [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef } }] };
  };
  return {
    ...spec,
    containers: (spec.containers ?? []).map(addTo),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(addTo) }),
    hostname: base.slice(0, 63),
  };
}
