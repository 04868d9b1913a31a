import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { Lease } from '../../types/gen/coordination-v1.ts';
import { defineKind } from '../define-kind.ts';
import { invalid } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { negativeFaults } from '../../validation/object-meta.ts';

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  needsRevision: true,
  createsOnUpdate: true,
  columns: [nameColumn, text('Holder', 'Who holds it.', ({ spec }) => spec?.holderIdentity ?? ''), ageColumn],
  validate,
});

function* validate({ spec = {} }: Lease): Faults {
  const { leaseDurationSeconds: seconds } = spec;
  if (seconds !== undefined && seconds <= 0)
    yield invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0');
  yield* negativeFaults('spec.leaseTransitions', spec.leaseTransitions);
}
