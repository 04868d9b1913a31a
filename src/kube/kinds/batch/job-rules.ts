import { matchesLabels, selectionOf } from '../../selectors/label-selector.ts';
import type { Job, JobSpec } from '../../types/gen/batch-v1.ts';
import { invalid, invalids, notSupported, required, tooLong } from '../../validation/faults.ts';
import { labelFaults, subdomainFaults } from '../../validation/names.ts';
import { type Faults, immutable, negativeFaults } from '../../validation/object-meta.ts';
import { podTemplateFaults } from '../../validation/pod/pod-spec.ts';
import { selectorFaults } from '../../validation/selectors.ts';
import { choiceFaults } from '../../validation/values.ts';
import { podFailurePolicyFaults, successPolicyFaults } from './job-policies.ts';

/** What is wrong with a job (batch/validation, ValidateJob). */
export function* jobFaults(job: Job, old: Job | undefined): Faults {
  const { spec = {} } = job;
  if (old === undefined) yield* generatedSelectorFaults(job);
  yield* jobSpecFaults(spec, 'spec');
  if (spec.selector === undefined) yield required('spec.selector');
  else yield* selectorFaults(spec.selector, 'spec.selector');
  const { labels } = spec.template?.metadata ?? {};
  if (!matchesLabels(selectionOf(spec.selector) ?? 'nothing', labels))
    yield invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
  if (old === undefined) yield* hostnameFaults(job);
  else yield* jobUpdateFaults(spec, old);
}

/** The part that the template of a CronJob has, too. */
export function* jobSpecFaults(spec: JobSpec, path: string): Faults {
  for (const field of counts) yield* negativeFaults(`${path}.${field}`, spec[field]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    yield required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified');
  if (spec.managedBy !== undefined) yield* managerFaults(spec.managedBy, `${path}.managedBy`);
  const { completionMode = 'NonIndexed' } = spec;
  yield* choiceFaults(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']);
  if (completionMode === 'Indexed') yield* indexFaults(spec, path);
  if (completionMode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      if (spec[field] !== undefined) yield invalid(`${path}.${field}`, spec[field], needsIndexes);
  }
  yield* policyFaults(spec, path);
  yield* podTemplateFaults(spec.template ?? {}, `${path}.template`);
  yield* restartFaults(spec, `${path}.template.spec.restartPolicy`);
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

const needsIndexes = 'requires indexed completion mode';

function* policyFaults(spec: JobSpec, path: string): Faults {
  const { podFailurePolicy, successPolicy, completionMode, podReplacementPolicy } = spec;
  if (podFailurePolicy !== undefined) yield* podFailurePolicyFaults(spec, `${path}.podFailurePolicy`);
  if (successPolicy !== undefined && completionMode !== 'Indexed')
    yield invalid(`${path}.successPolicy`, successPolicy, needsIndexes);
  else if (successPolicy !== undefined) yield* successPolicyFaults(spec, `${path}.successPolicy`);
  const replacements = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  yield* choiceFaults(`${path}.podReplacementPolicy`, podReplacementPolicy, replacements);
}

function* restartFaults({ template, podFailurePolicy }: JobSpec, path: string): Faults {
  const { restartPolicy = '' } = template?.spec ?? {};
  if (restartPolicy === '' || restartPolicy === 'Always') yield required(path, 'valid values: "OnFailure", "Never"');
  else if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    yield notSupported(path, restartPolicy, ['OnFailure', 'Never']);
  else if (podFailurePolicy !== undefined && restartPolicy !== 'Never')
    yield invalid(path, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified');
}

const httpPath = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const managerBytesMost = 63;

/** A path with a domain before it, such as `example.com/queue`. */
function* managerFaults(name: string, path: string): Faults {
  const slash = name.indexOf('/');
  const [host, rest] = [name.slice(0, Math.max(slash, 0)), name.slice(slash + 1)];
  if (name === '') yield required(path);
  else if (host === '' || rest === '')
    yield invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")');
  else {
    yield* invalids(path, host, subdomainFaults(host));
    if (!new RegExp(`^${httpPath}$`).test(rest))
      yield invalid(path, rest, `Invalid path (regex used for validation is '${httpPath}')`);
  }
  if (Buffer.byteLength(name) > managerBytesMost) yield tooLong(path, managerBytesMost);
}

/** Above this many completions there are less indexes that may fail and pods at once. */
const softLimit = 100_000;
const manyMost = 100_000;
const fewMost = 10_000;

function* indexFaults(spec: JobSpec, path: string): Faults {
  const { completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const failed = maxFailedIndexes ?? 0;
  const most = (limit: number): string => `must be less than or equal to ${String(limit)}`;
  if (completions === undefined) yield required(`${path}.completions`, 'when completion mode is Indexed');
  if (parallelism > manyMost)
    yield invalid(`${path}.parallelism`, parallelism, `${most(manyMost)} when completion mode is Indexed`);
  if (completions !== undefined && failed > completions)
    yield invalid(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions');
  if (failed > manyMost) yield invalid(`${path}.maxFailedIndexes`, failed, most(manyMost));
  if ((completions ?? 0) <= softLimit || backoffLimitPerIndex === undefined) return;
  const above = `when completions are above ${String(softLimit)} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined)
    yield required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${String(softLimit)}`);
  if (parallelism > fewMost) yield invalid(`${path}.parallelism`, parallelism, `${most(fewMost)} ${above}`);
  if (failed > fewMost) yield invalid(`${path}.maxFailedIndexes`, failed, `${most(fewMost)} ${above}`);
}

/** The pods of an indexed job are named by it and their index. */
function* hostnameFaults({ metadata, spec = {} }: Job): Faults {
  const { completions = 0, completionMode } = spec;
  if (completionMode !== 'Indexed' || completions <= 0) return;
  const { name = '' } = metadata;
  const last = `${name}-${String(completions - 1)}`;
  if (labelFaults(last).length > 0)
    yield invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`);
}

/** A selector that was not asked for is the one that we made. */
function* generatedSelectorFaults({ metadata, spec = {} }: Job): Faults {
  if (spec.manualSelector === true || spec.selector === undefined) return;
  const { uid = '', name = '' } = metadata;
  const expected: Readonly<Record<string, string>> = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  };
  const { labels = {} } = spec.template?.metadata ?? {};
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) yield required(path, `must be '${value}'`);
    else if (labels[key] !== value) yield invalid(path, labels, `must be '${value}'`);
  }
  const selection = selectionOf(spec.selector);
  if (selection !== undefined && !matchesLabels(selection, expected))
    yield invalid('spec.selector', spec.selector, '`selector` not auto-generated');
}

function* jobUpdateFaults(spec: JobSpec, old: Job): Faults {
  const before = old.spec ?? {};
  if (spec.completionMode !== 'Indexed') yield* immutable('spec.completions', spec.completions, before.completions);
  else if (![undefined, before.completions, spec.parallelism].includes(spec.completions))
    yield invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism');
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
