import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { Lease } from '../../types/gen/coordination-v1.ts';
import { defineKind } from '../define-kind.ts';

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  columns: [nameColumn, text('Holder', 'Who holds it.', ({ spec }) => spec?.holderIdentity ?? ''), ageColumn],
});
