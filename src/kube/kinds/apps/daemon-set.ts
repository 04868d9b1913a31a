import type { Column } from '../../kind.ts';
import { ageColumn, count, nameColumn, text, wide } from '../../printing/columns.ts';
import { labelsText, selectorText } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { DaemonSet } from '../../types/gen/apps-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setPodTemplateDefaults } from '../core/pod-defaults.ts';

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
