import { isEqualJson } from '#base/json.ts';

import { matchesLabels, selectionOf } from '../../selectors/label-selector.ts';
import type { Job, JobSpec } from '../../types/gen/batch-v1.ts';
import { invalid, notSupported, required } from '../../validation/faults.ts';
import { type Faults, immutable, negativeFaults } from '../../validation/object-meta.ts';
import { podTemplateFaults } from '../../validation/pod/pod-spec.ts';
import { selectorFaults } from '../../validation/selectors.ts';
import { choiceFaults } from '../../validation/values.ts';

const parallelismMost = 100_000;

/** What is wrong with a job (batch/validation, ValidateJob). */
export function* jobFaults(job: Job, old: Job | undefined): Faults {
  const { spec = {} } = job;
  if (spec.selector === undefined) yield required('spec.selector');
  else yield* selectorFaults(spec.selector, 'spec.selector');
  yield* generatedSelectorFaults(job);
  const { labels } = spec.template?.metadata ?? {};
  if (!matchesLabels(selectionOf(spec.selector) ?? 'nothing', labels))
    yield invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
  yield* jobSpecFaults(spec, 'spec');
  if (old !== undefined) yield* jobUpdateFaults(spec, old);
}

/** The part that the template of a CronJob has, too. */
export function* jobSpecFaults(spec: JobSpec, path: string): Faults {
  for (const field of counts) yield* negativeFaults(`${path}.${field}`, spec[field]);
  yield* indexFaults(spec, path);
  yield* choiceFaults(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, ['Failed', 'TerminatingOrFailed']);
  if (spec.podFailurePolicy !== undefined && spec.podReplacementPolicy === 'TerminatingOrFailed')
    yield notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, ['Failed']);
  yield* podTemplateFaults(spec.template ?? {}, `${path}.template`);
  const at = `${path}.template.spec.restartPolicy`;
  const { restartPolicy = '' } = spec.template?.spec ?? {};
  if (restartPolicy === '' || restartPolicy === 'Always') yield required(at, 'valid values: "OnFailure", "Never"');
  else if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    yield notSupported(at, restartPolicy, ['OnFailure', 'Never']);
  else if (spec.podFailurePolicy !== undefined && restartPolicy !== 'Never')
    yield invalid(at, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified');
}

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const satisfies (keyof JobSpec)[];

function* indexFaults(spec: JobSpec, path: string): Faults {
  const { completionMode, completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const isIndexed = completionMode === 'Indexed';
  yield* choiceFaults(`${path}.completionMode`, completionMode, ['Indexed', 'NonIndexed']);
  if (isIndexed && completions === undefined) yield required(`${path}.completions`, 'when completion mode is Indexed');
  if (isIndexed && parallelism > parallelismMost)
    yield invalid(
      `${path}.parallelism`,
      parallelism,
      'must be less than or equal to 100000 when completion mode is Indexed',
    );
  if (!isIndexed && backoffLimitPerIndex !== undefined)
    yield invalid(`${path}.backoffLimitPerIndex`, backoffLimitPerIndex, 'requires indexed completion mode');
  if (!isIndexed && maxFailedIndexes !== undefined)
    yield invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'requires indexed completion mode');
  if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions)
    yield invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions');
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined)
    yield required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified');
}

/** A selector that was not asked for is the one that we made. */
function* generatedSelectorFaults({ metadata, spec = {} }: Job): Faults {
  if (spec.manualSelector === true || spec.selector === undefined) return;
  const { uid = '', name = '' } = metadata;
  const expected = { 'batch.kubernetes.io/controller-uid': uid };
  const { labels = {} } = spec.template?.metadata ?? {};
  for (const [key, value] of [
    ['batch.kubernetes.io/controller-uid', uid],
    ['batch.kubernetes.io/job-name', name],
  ] as const) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) yield required(path, `must be '${value}'`);
    else if (labels[key] !== value) yield invalid(path, labels, `must be '${value}'`);
  }
  const isOurs =
    isEqualJson(spec.selector.matchLabels, expected) ||
    isEqualJson(spec.selector.matchLabels, { 'controller-uid': uid });
  if (!isOurs || (spec.selector.matchExpressions ?? []).length > 0)
    yield invalid('spec.selector', spec.selector, '`selector` not auto-generated');
}

function* jobUpdateFaults(spec: JobSpec, old: Job): Faults {
  const before = old.spec ?? {};
  const isElastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if (!isElastic) yield* immutable('spec.completions', spec.completions, before.completions);
  yield* immutable('spec.selector', spec.selector, before.selector);
  const wasWaiting = before.suspend === true && old.status?.startTime === undefined;
  yield* immutable(
    'spec.template',
    wasWaiting ? fixedTemplate(spec) : spec.template,
    wasWaiting ? fixedTemplate(before) : before.template,
  );
  for (const field of [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const)
    yield* immutable(`spec.${field}`, spec[field], before[field]);
}

/** A template without what may change while its job waits: where its pods may run. */
function fixedTemplate({ template = {} }: JobSpec): unknown {
  const {
    nodeSelector: _nodeSelector,
    tolerations: _tolerations,
    affinity: _affinity,
    schedulingGates: _gates,
    ...spec
  } = template.spec ?? {};
  const { labels: _labels, annotations: _annotations, ...metadata } = template.metadata ?? {};
  return { ...template, metadata, spec };
}
