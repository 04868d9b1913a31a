import type { Column } from '../../kind.ts';
import { ageColumn, count, nameColumn, text, wide } from '../../printing/columns.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import { selectionOf, selectionText } from '../../selectors/label-selector.ts';
import type { Deployment } from '../../types/gen/apps-v1.ts';
import { defineKind, scale } from '../define-kind.ts';
import { setPodTemplateDefaults } from '../core/pod-defaults.ts';

const columns: readonly Column<Deployment>[] = [
  nameColumn,
  text(
    'Ready',
    'Pods that are ready, of those that there shall be.',
    ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec?.replicas ?? 0)}`,
  ),
  count('Up-to-date', 'Pods of the latest template.', ({ status }) => status?.updatedReplicas ?? 0),
  count('Available', 'Pods that were ready for long enough.', ({ status }) => status?.availableReplicas ?? 0),
  ageColumn,
  ...templateColumns<Deployment>(({ spec }) => spec?.template?.spec),
  wide(
    text('Selector', 'Labels of the pods.', ({ spec }) => {
      const selection = selectionOf(spec?.selector);
      return selection === undefined ? '<invalid>' : selectionText(selection);
    }),
  ),
];

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [scale],
  columns,
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults,
});

function setDefaults(object: Deployment): void {
  const spec = (object.spec ??= {});
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= '25%';
    strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  setPodTemplateDefaults((spec.template ??= {}));
}
