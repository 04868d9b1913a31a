import type { Column } from '../../kind.ts';
import { ageColumn, count, nameColumn, text, wide } from '../../printing/columns.ts';
import { labelsText } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { ReplicationController } from '../../types/gen/core-v1.ts';
import { defineKind, scale } from '../define-kind.ts';
import { setPodTemplateDefaults } from './pod-defaults.ts';
import { matchesLabels, selectionOfMap } from '../../selectors/label-selector.ts';
import { invalid, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { negativeFaults } from '../../validation/object-meta.ts';
import { runningTemplateFaults } from '../../validation/pod/pod-spec.ts';

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
  validate,
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

function* validate({ spec = {} }: ReplicationController): Faults {
  yield* negativeFaults('spec.minReadySeconds', spec.minReadySeconds);
  const selection = selectionOfMap(spec.selector);
  if (selection.length === 0) yield required('spec.selector');
  yield* negativeFaults('spec.replicas', spec.replicas);
  if (spec.template === undefined) {
    yield required('spec.template');
    return;
  }
  const { labels } = spec.template.metadata ?? {};
  if (!matchesLabels(selection, labels))
    yield invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
  yield* runningTemplateFaults(spec.template, 'ReplicationController', 'spec.template');
}
