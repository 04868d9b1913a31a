import type { Column } from '../../kind.ts';
import { ageColumn, count, nameColumn, text, wide } from '../../printing/columns.ts';
import { selectorText } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { ReplicaSet } from '../../types/gen/apps-v1.ts';
import { defineKind, scale } from '../define-kind.ts';
import { setPodTemplateDefaults } from '../core/pod-defaults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable, negativeFaults } from '../../validation/object-meta.ts';
import { runningTemplateFaults } from '../../validation/pod/pod-spec.ts';
import { ownSelectorFaults, templateLabelFaults } from './template-selector.ts';

const columns: readonly Column<ReplicaSet>[] = [
  nameColumn,
  count('Desired', 'Pods that there shall be.', ({ spec }) => spec?.replicas ?? 0),
  count('Current', 'Pods that there are.', ({ status }) => status?.replicas ?? 0),
  count('Ready', 'Pods that are ready.', ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  ...templateColumns<ReplicaSet>(({ spec }) => spec?.template?.spec),
  wide(text('Selector', 'Labels of the pods.', ({ spec }) => selectorText(spec?.selector))),
];

export const replicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  subresources: [scale],
  columns,
  initialStatus: { replicas: 0 },
  generationOf: ['spec'],
  setDefaults,
  validate,
});

function setDefaults(object: ReplicaSet): void {
  const spec = (object.spec ??= {});
  spec.replicas ??= 1;
  setPodTemplateDefaults((spec.template ??= {}));
}

function* validate({ spec = {} }: ReplicaSet, old: ReplicaSet | undefined): Faults {
  yield* negativeFaults('spec.replicas', spec.replicas);
  yield* negativeFaults('spec.minReadySeconds', spec.minReadySeconds);
  yield* ownSelectorFaults(spec.selector, 'deployment');
  yield* templateLabelFaults(spec.selector, spec.template);
  yield* runningTemplateFaults(spec.template ?? {}, 'ReplicaSet', 'spec.template');
  if (old !== undefined) yield* immutable('spec.selector', spec.selector, old.spec?.selector);
}
