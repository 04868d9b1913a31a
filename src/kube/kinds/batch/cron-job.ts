import type { Column } from '../../kind.ts';
import { age, ageColumn, count, flag, nameColumn, text, wide } from '../../printing/columns.ts';
import { none, selectorText, unset } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { CronJob } from '../../types/gen/batch-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setJobTemplateDefaults } from './job-defaults.ts';

const columns: readonly Column<CronJob>[] = [
  nameColumn,
  text('Schedule', 'When jobs are started.', ({ spec }) => spec?.schedule ?? ''),
  text('Timezone', 'Time zone of the schedule.', ({ spec }) => spec?.timeZone ?? none),
  flag('Suspend', 'Whether no jobs are started.', ({ spec }) =>
    spec?.suspend === undefined ? unset : spec.suspend ? 'True' : 'False',
  ),
  count('Active', 'Jobs that run.', ({ status }) => (status?.active ?? []).length),
  text('Last Schedule', 'Time since a job was started.', ({ status }, nowMs) =>
    status?.lastScheduleTime === undefined ? none : age(status.lastScheduleTime, nowMs),
  ),
  ageColumn,
  ...templateColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template?.spec),
  wide(text('Selector', 'Labels of the pods.', ({ spec }) => selectorText(spec?.jobTemplate?.spec?.selector))),
];

export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  columns,
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults,
});

function setDefaults(object: CronJob): void {
  const spec = (object.spec ??= {});
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  const template = (spec.jobTemplate ??= {});
  template.metadata ??= {};
  setJobTemplateDefaults((template.spec ??= {}));
}
