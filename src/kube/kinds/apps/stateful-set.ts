import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { StatefulSet } from '../../types/gen/apps-v1.ts';
import { defineKind, scale } from '../define-kind.ts';

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  subresources: [scale],
  columns: [
    nameColumn,
    text(
      'Ready',
      'Pods that are ready, of those that there shall be.',
      ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec?.replicas ?? 0)}`,
    ),
    ageColumn,
    ...templateColumns<StatefulSet>(({ spec }) => spec?.template?.spec),
  ],
  initialStatus: { replicas: 0, availableReplicas: 0 },
  generationOf: ['spec'],
});
