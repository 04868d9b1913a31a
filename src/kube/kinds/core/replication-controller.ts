import type { Column } from '../../kind.ts';
import { ageColumn, count, nameColumn, text, wide } from '../../printing/columns.ts';
import { labelsText } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { ReplicationController } from '../../types/gen/core-v1.ts';
import { defineKind, scale } from '../define-kind.ts';
import { setPodTemplateDefaults } from './pod-defaults.ts';

const columns: readonly Column<ReplicationController>[] = [
  nameColumn,
  count('Desired', 'Pods that there shall be.', ({ spec }) => spec?.replicas ?? 0),
  count('Current', 'Pods that there are.', ({ status }) => status?.replicas ?? 0),
  count('Ready', 'Pods that are ready.', ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  ...templateColumns<ReplicationController>(({ spec }) => spec?.template?.spec),
  wide(text('Selector', 'Labels of the pods.', ({ spec }) => labelsText(spec?.selector))),
];

export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  subresources: [scale],
  columns,
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  initialStatus: { replicas: 0 },
  generationOf: ['spec'],
  setDefaults,
});

function setDefaults(object: ReplicationController): void {
  const spec = (object.spec ??= {});
  spec.replicas ??= 1;
  if (spec.template === undefined) return;
  const { labels } = spec.template.metadata ?? {};
  if (labels !== undefined) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(object.metadata.labels ?? {}).length === 0)
      Object.assign(object.metadata, { labels: { ...labels } });
  }
  setPodTemplateDefaults(spec.template);
}
