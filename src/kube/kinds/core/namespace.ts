import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { Namespace } from '../../types/gen/core-v1.ts';
import { labelFaults, qualifiedNameFaults } from '../../validation/names.ts';
import { allVerbs, defineKind, part } from '../define-kind.ts';
import { invalids } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { legacyFinalizerFaults } from '../../validation/object-meta.ts';

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  verbs: allVerbs.filter((verb) => verb !== 'deletecollection'),
  subresources: [part('finalize', undefined, ['update'])],
  columns: [nameColumn, text('Status', 'Phase of the namespace.', ({ status }) => status?.phase ?? ''), ageColumn],
  selectableFields: {
    name: ({ metadata }) => metadata.name ?? '',
    'status.phase': ({ status }) => status?.phase ?? '',
  },
  nameRule: labelFaults,
  initialStatus: { phase: 'Active' },
  setDefaults,
  prepare,
  validate,
});

function setDefaults({ metadata }: Namespace): void {
  const { name = '' } = metadata;
  if (name !== '') Object.assign(metadata, { labels: { ...metadata.labels, 'kubernetes.io/metadata.name': name } });
}

/** The content of a namespace is removed before the finalizer `kubernetes` is. */
function prepare(object: Namespace, old: Namespace | undefined): void {
  const finalizers = old === undefined ? (object.spec?.finalizers ?? []) : old.spec?.finalizers;
  if (old !== undefined) object.spec = finalizers === undefined ? {} : { ...object.spec, finalizers };
  else object.spec = { ...object.spec, finalizers: [...new Set([...(finalizers ?? []), 'kubernetes'])] };
}

function* validate({ spec }: Namespace, old: Namespace | undefined): Faults {
  if (old !== undefined) return;
  for (const finalizer of spec?.finalizers ?? []) {
    yield* invalids('spec.finalizers', finalizer, qualifiedNameFaults(finalizer));
    yield* legacyFinalizerFaults(finalizer, 'spec.finalizers');
  }
}
