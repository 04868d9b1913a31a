import type { Column } from '../../kind.ts';
import { ageColumn, count, nameColumn, text, wide } from '../../printing/columns.ts';
import { labelsText, selectorText } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { DaemonSet, DaemonSetUpdateStrategy } from '../../types/gen/apps-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setPodTemplateDefaults } from '../core/pod-defaults.ts';
import { percentOf } from '#formats/int-or-percent.ts';
import { invalid, notSupported, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable, negativeFaults } from '../../validation/object-meta.ts';
import { runningTemplateFaults } from '../../validation/pod/pod-spec.ts';
import { countOrShareFaults, wholeShareFaults } from '../../validation/values.ts';
import { ownSelectorFaults, templateLabelFaults } from './template-selector.ts';

const columns: readonly Column<DaemonSet>[] = [
  nameColumn,
  count('Desired', 'Nodes that shall have the pod.', ({ status }) => status?.desiredNumberScheduled ?? 0),
  count('Current', 'Nodes that have it.', ({ status }) => status?.currentNumberScheduled ?? 0),
  count('Ready', 'Nodes where it is ready.', ({ status }) => status?.numberReady ?? 0),
  count('Up-to-date', 'Nodes with the latest template.', ({ status }) => status?.updatedNumberScheduled ?? 0),
  count('Available', 'Nodes where it was ready for long enough.', ({ status }) => status?.numberAvailable ?? 0),
  text('Node Selector', 'Labels of the nodes.', ({ spec }) => labelsText(spec?.template?.spec?.nodeSelector)),
  ageColumn,
  ...templateColumns<DaemonSet>(({ spec }) => spec?.template?.spec),
  wide(text('Selector', 'Labels of the pods.', ({ spec }) => selectorText(spec?.selector))),
];

export const daemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  columns,
  initialStatus: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  generationOf: ['spec'],
  setDefaults,
  validate,
});

function setDefaults(object: DaemonSet): void {
  const spec = (object.spec ??= {});
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  setPodTemplateDefaults((spec.template ??= {}));
}

function* validate({ spec = {} }: DaemonSet, old: DaemonSet | undefined): Faults {
  yield* ownSelectorFaults(spec.selector, 'daemonset');
  yield* templateLabelFaults(spec.selector, spec.template);
  yield* runningTemplateFaults(spec.template ?? {}, 'DaemonSet', 'spec.template');
  yield* negativeFaults('spec.minReadySeconds', spec.minReadySeconds);
  yield* strategyFaults(spec.updateStrategy ?? {}, 'spec.updateStrategy');
  yield* negativeFaults('spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  if (old !== undefined) yield* immutable('spec.selector', spec.selector, old.spec?.selector);
}

function* strategyFaults(strategy: DaemonSetUpdateStrategy, path: string): Faults {
  const { type = '', rollingUpdate } = strategy;
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate') {
    yield notSupported(path, strategy, ['RollingUpdate', 'OnDelete']);
    return;
  }
  const at = `${path}.rollingUpdate`;
  if (rollingUpdate === undefined) {
    yield required(at);
    return;
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const isSome = (value: number | string): boolean => (percentOf(value) ?? (typeof value === 'number' ? value : 0)) > 0;
  if (isSome(maxUnavailable) && isSome(maxSurge))
    yield invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero');
  if (!isSome(maxUnavailable) && !isSome(maxSurge))
    yield required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0');
  for (const [field, value] of Object.entries({ maxUnavailable, maxSurge })) {
    yield* countOrShareFaults(`${at}.${field}`, value);
    yield* wholeShareFaults(`${at}.${field}`, value);
  }
}
