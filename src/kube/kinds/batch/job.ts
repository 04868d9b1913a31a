import { formatHumanDuration } from '#formats/human-duration.ts';

import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { selectorText } from '../../printing/labels.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { Job } from '../../types/gen/batch-v1.ts';
import { defineKind } from '../define-kind.ts';
import { prepareJob, setJobDefaults } from './job-defaults.ts';
import { jobFaults } from './job-rules.ts';

const columns: readonly Column<Job>[] = [
  nameColumn,
  text('Status', 'How far it is.', statusText),
  text('Completions', 'Pods that succeeded, of those that must.', completionsText),
  text('Duration', 'Time it takes or took.', durationText),
  ageColumn,
  ...templateColumns<Job>(({ spec }) => spec?.template?.spec),
  wide(text('Selector', 'Labels of the pods.', ({ spec }) => selectorText(spec?.selector))),
];

export const job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  columns,
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults: setJobDefaults,
  prepare: prepareJob,
  validate: jobFaults,
});

function statusText({ metadata, status }: Job): string {
  const is = (wanted: string): boolean => status?.conditions?.find(({ type }) => type === wanted)?.status === 'True';
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (is('Suspended')) return 'Suspended';
  return is('FailureTarget') ? 'FailureTarget' : 'Running';
}

function completionsText({ spec, status }: Job): string {
  const done = String(status?.succeeded ?? 0);
  if (spec?.completions !== undefined) return `${done}/${String(spec.completions)}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${String(parallelism)}` : `${done}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  const start = Date.parse(status?.startTime ?? '');
  const end = status?.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  return Number.isNaN(start) || Number.isNaN(end) ? '' : formatHumanDuration(end - start);
}
