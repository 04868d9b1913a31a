import type { Column } from '../../kind.ts';
import { ageColumn, count, nameColumn, text, wide } from '../../printing/columns.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import { selectionOf, selectionText } from '../../selectors/label-selector.ts';
import type { Deployment, DeploymentStrategy } from '../../types/gen/apps-v1.ts';
import { defineKind, scale } from '../define-kind.ts';
import { setPodTemplateDefaults } from '../core/pod-defaults.ts';
import { percentOf } from '#formats/int-or-percent.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable, negativeFaults } from '../../validation/object-meta.ts';
import { runningTemplateFaults } from '../../validation/pod/pod-spec.ts';
import { countOrShareFaults, wholeShareFaults } from '../../validation/values.ts';
import { ownSelectorFaults, templateLabelFaults } from './template-selector.ts';

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
  validate,
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

function* validate({ spec = {} }: Deployment, old: Deployment | undefined): Faults {
  yield* negativeFaults('spec.replicas', spec.replicas);
  yield* ownSelectorFaults(spec.selector, 'deployment');
  yield* templateLabelFaults(spec.selector, spec.template);
  yield* runningTemplateFaults(spec.template ?? {}, 'ReplicaSet', 'spec.template');
  yield* strategyFaults(spec.strategy ?? {});
  yield* negativeFaults('spec.minReadySeconds', spec.minReadySeconds);
  yield* negativeFaults('spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  yield* negativeFaults('spec.progressDeadlineSeconds', deadline);
  if (deadline !== undefined && deadline <= minReadySeconds)
    yield invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds');
  if (old !== undefined) yield* immutable('spec.selector', spec.selector, old.spec?.selector);
}

function* strategyFaults(strategy: DeploymentStrategy): Faults {
  const path = 'spec.strategy';
  const { type = '', rollingUpdate } = strategy;
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined)
      yield forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'");
  } else if (type !== 'RollingUpdate') yield notSupported(path, strategy, ['Recreate', 'RollingUpdate']);
  else if (rollingUpdate === undefined)
    yield required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil');
  else {
    const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
    const at = `${path}.rollingUpdate`;
    yield* countOrShareFaults(`${at}.maxUnavailable`, maxUnavailable);
    yield* countOrShareFaults(`${at}.maxSurge`, maxSurge);
    const isNone = (value: number | string): boolean => value === 0 || percentOf(value) === 0;
    if (isNone(maxUnavailable) && isNone(maxSurge))
      yield invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0');
    yield* wholeShareFaults(`${at}.maxUnavailable`, maxUnavailable);
  }
}
