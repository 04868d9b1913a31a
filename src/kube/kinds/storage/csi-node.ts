import { ageColumn, count, nameColumn } from '../../printing/columns.ts';
import type { CSINode } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';

export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  needsRevision: true,
  scope: 'Cluster',
  columns: [
    nameColumn,
    count('Drivers', 'How many drivers the node has.', ({ spec }) => (spec?.drivers ?? []).length),
    ageColumn,
  ],
});
