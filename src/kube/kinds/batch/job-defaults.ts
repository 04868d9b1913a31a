import type { Job, JobSpec } from '../../types/gen/batch-v1.ts';
import { setPodTemplateDefaults } from '../core/pod-defaults.ts';

const largestInt = 2 ** 31 - 1;

export function setJobDefaults(object: Job): void {
  const spec = (object.spec ??= {});
  // A job with a parallelism alone ends when one pod succeeds.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : largestInt;
  const labels = spec.template?.metadata?.labels ?? {};
  if (Object.keys(object.metadata.labels ?? {}).length === 0 && Object.keys(labels).length > 0)
    Object.assign(object.metadata, { labels: { ...labels } });
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  spec.manualSelector ??= false;
  setJobTemplateDefaults(spec);
}

/** The part that the template of a CronJob gets, too. */
export function setJobTemplateDefaults(spec: JobSpec): void {
  const patterns = (spec.podFailurePolicy?.rules ?? []).flatMap(({ onPodConditions }) => onPodConditions ?? []);
  for (const pattern of patterns) pattern.status ||= 'True';
  setPodTemplateDefaults((spec.template ??= {}));
}

/** Names by which the pods of a job are known, old ones and new ones. */
const uidLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid'] as const;
const nameLabels = ['job-name', 'batch.kubernetes.io/job-name'] as const;

/** A job selects its pods by its own uid unless `manualSelector` says otherwise; the uid must be set before. */
export function prepareJob(object: Job, old: Job | undefined): void {
  const { spec = {}, metadata } = object;
  if (old !== undefined || spec.manualSelector === true) return;
  const { uid = '', name = '' } = metadata;
  const template = (spec.template ??= {});
  const labels = {
    ...template.metadata?.labels,
    ...Object.fromEntries([...uidLabels.map((key) => [key, uid]), ...nameLabels.map((key) => [key, name])]),
  } as Record<string, string>;
  template.metadata = { ...template.metadata, labels };
  // The defaults are set on each read, so a stored job without labels of its own has those of its template.
  if (Object.keys(metadata.labels ?? {}).length === 0) Object.assign(metadata, { labels: { ...labels } });
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels, [uidLabels[1]]: uid };
}
