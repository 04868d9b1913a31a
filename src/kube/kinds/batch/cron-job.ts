import type { Column } from '../../kind.ts';
import { age, ageColumn, count, flag, nameColumn, text, wide } from '../../printing/columns.ts';
import { none, selectorText, unset } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { CronJob } from '../../types/gen/batch-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setJobTemplateDefaults } from './job-defaults.ts';
import { messageOf } from '#base/errors.ts';
import { parseCron } from '#formats/cron.ts';
import { invalid, notSupported, required } from '../../validation/faults.ts';
import { type Faults, negativeFaults } from '../../validation/object-meta.ts';
import { oneOfFaults } from '../../validation/values.ts';
import { jobSpecFaults } from './job-rules.ts';

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
  validate,
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

/** Names of jobs are made of it: eleven characters are added. */
const nameLengthMost = 52;

function* validate({ metadata, spec = {} }: CronJob, old: CronJob | undefined): Faults {
  const { schedule = '', timeZone } = spec;
  if (schedule === '') yield required('spec.schedule');
  else yield* scheduleFaults(schedule);
  yield* negativeFaults('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
  if (timeZone !== undefined && timeZone !== old?.spec?.timeZone) yield* zoneFaults(timeZone);
  yield* oneOfFaults('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
  const template = spec.jobTemplate?.spec ?? {};
  yield* jobSpecFaults(template, 'spec.jobTemplate.spec');
  if (template.selector !== undefined)
    yield invalid('spec.jobTemplate.spec.selector', template.selector, '`selector` will be auto-generated');
  if (template.manualSelector === true)
    yield notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']);
  yield* negativeFaults('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
  yield* negativeFaults('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
  const { name = '' } = metadata;
  if (old === undefined && name.length > nameLengthMost)
    yield invalid('metadata.name', name, 'must be no more than 52 characters');
}

function* scheduleFaults(schedule: string): Faults {
  if (/TZ/.test(schedule)) {
    yield invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
    return;
  }
  try {
    parseCron(schedule);
  } catch (error) {
    yield invalid('spec.schedule', schedule, messageOf(error));
  }
}

function* zoneFaults(zone: string): Faults {
  if (zone === '') {
    yield invalid('spec.timeZone', zone, 'timeZone must be nil or non-empty string');
    return;
  }
  if (zone.toLowerCase() === 'local') {
    yield invalid(
      'spec.timeZone',
      zone,
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    );
    return;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format(0);
  } catch {
    yield invalid('spec.timeZone', zone, `unknown time zone ${zone}`);
  }
}
