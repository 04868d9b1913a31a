import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '../../types/gen/batch-v1.ts';
import { duplicate, goQuoted, invalid, invalids, required, tooLong, tooMany } from '../../validation/faults.ts';
import { qualifiedNameFaults } from '../../validation/names.ts';
import { type Faults, negativeFaults } from '../../validation/object-meta.ts';
import { choiceFaults } from '../../validation/values.ts';

const rulesMost = 20;
const patternsMost = 20;
const exitCodesMost = 255;
const indexesBytesMost = 64 * 1024;

/** What is wrong with what a job does when its pods fail. */
export function* podFailurePolicyFaults(spec: JobSpec, path: string): Faults {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > rulesMost) yield tooMany(`${path}.rules`, rules.length, rulesMost);
  for (const [index, rule] of rules.entries()) yield* failureRuleFaults(spec, rule, `${path}.rules[${String(index)}]`);
}

/** What is wrong with when an indexed job has done enough. */
export function* successPolicyFaults(spec: JobSpec, path: string): Faults {
  const rules = spec.successPolicy?.rules ?? [];
  if (rules.length === 0)
    yield required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified');
  if (rules.length > rulesMost) yield tooMany(`${path}.rules`, rules.length, rulesMost);
  for (const [index, rule] of rules.entries())
    yield* successRuleFaults(rule, spec.completions ?? 0, `${path}.rules[${String(index)}]`);
}

function* failureRuleFaults(spec: JobSpec, rule: PodFailurePolicyRule, path: string): Faults {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  yield* neededChoiceFaults(`${path}.action`, action, ['Count', 'FailIndex', 'FailJob', 'Ignore']);
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
    yield invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set');
  if (onExitCodes !== undefined) yield* exitCodeFaults(spec, onExitCodes, `${path}.onExitCodes`);
  yield* patternFaults(onPodConditions, `${path}.onPodConditions`);
  const type = 'FieldValueInvalid';
  if (onExitCodes !== undefined && onPodConditions.length > 0)
    yield { type, path, detail: 'specifying both OnExitCodes and OnPodConditions is not supported' };
  if (onExitCodes === undefined && onPodConditions.length === 0)
    yield { type, path, detail: 'specifying one of OnExitCodes and OnPodConditions is required' };
}

function* exitCodeFaults(spec: JobSpec, on: PodFailurePolicyOnExitCodesRequirement, path: string): Faults {
  const { containerName, operator, values = [] } = on;
  yield* neededChoiceFaults(`${path}.operator`, operator, ['In', 'NotIn']);
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  if (containerName !== undefined && ![...containers, ...initContainers].some(({ name }) => name === containerName))
    yield invalid(
      `${path}.containerName`,
      containerName,
      'must be one of the container or initContainer names in the pod template',
    );
  if (values.length === 0) yield invalid(`${path}.values`, values, 'at least one value is required');
  if (values.length > exitCodesMost) yield tooMany(`${path}.values`, values.length, exitCodesMost);
  const seen = new Set<number>();
  for (const [index, value] of values.entries()) {
    const at = `${path}.values[${String(index)}]`;
    if (operator === 'In' && value === 0) yield invalid(at, value, 'must not be 0 for the In operator');
    if (seen.has(value)) yield duplicate(at, value);
    seen.add(value);
  }
  if (values.some((value, index) => value < (values[index - 1] ?? value)))
    yield invalid(`${path}.values`, values, 'must be ordered');
}

function* patternFaults(patterns: readonly PodFailurePolicyOnPodConditionsPattern[], path: string): Faults {
  if (patterns.length > patternsMost) yield tooMany(path, patterns.length, patternsMost);
  for (const [index, { type = '', status }] of patterns.entries()) {
    const at = `${path}[${String(index)}]`;
    yield* invalids(`${at}.type`, type, qualifiedNameFaults(type));
    yield* neededChoiceFaults(`${at}.status`, status, ['False', 'True', 'Unknown']);
  }
}

/** A value out of a list, which is told as Go prints lists when there is none. */
function* neededChoiceFaults(path: string, value: string | undefined, supported: readonly string[]): Faults {
  if ((value ?? '') === '') yield required(path, `valid values: [${supported.map(goQuoted).join(' ')}]`);
  else yield* choiceFaults(path, value, supported);
}

function* successRuleFaults(rule: SuccessPolicyRule, completions: number, path: string): Faults {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined)
    yield required(path, 'at least one of succeededCount or succeededIndexes must be specified');
  const indexCount = countOfIndexes(indexes ?? '', completions);
  if (indexes !== undefined && Buffer.byteLength(indexes) > indexesBytesMost)
    yield tooLong(`${path}.succeededIndexes`, indexesBytesMost);
  if (typeof indexCount === 'string')
    yield invalid(`${path}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${indexCount}`);
  const at = `${path}.succeededCount`;
  yield* negativeFaults(at, count);
  const most = (limit: number, what: string): string =>
    `must be less than or equal to ${String(limit)} (the number of ${what})`;
  if (count !== undefined && count > completions) yield invalid(at, count, most(completions, 'specified completions'));
  const indexed = typeof indexCount === 'string' ? 0 : indexCount;
  if (count !== undefined && indexes !== undefined && count > indexed)
    yield invalid(at, count, most(indexed, 'indexes in the specified succeededIndexes field'));
}

/** How many indexes a text such as `0,2-4` names, or what is wrong with it. */
function countOfIndexes(text: string, completions: number): number | string {
  let count = 0;
  let last = -1;
  if (text === '') return count;
  for (const interval of text.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2)
      return `the fragment ${goQuoted(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    for (const [position, limit] of limits.entries()) {
      if (!/^\+?\d+$/.test(limit)) return `cannot convert string to integer for index: ${goQuoted(limit)}`;
      if (Number(limit) >= completions) return `too large index: ${goQuoted(limit)}`;
      const index = Number(limit);
      if (index <= last) return `non-increasing order, previous: ${String(last)}, current: ${String(index)}`;
      count += position === 0 ? 1 : index - last;
      last = index;
    }
  }
  return count;
}
