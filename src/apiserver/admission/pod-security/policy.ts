import type { StatusCause } from '#kube/status.ts';

import { levels, type Level, type LevelVersion } from './standards.ts';

const modes = ['enforce', 'audit', 'warn'] as const;
export type Mode = (typeof modes)[number];

/** What a namespace asks of its pods. */
export type PodPolicy = Readonly<Record<Mode, LevelVersion>>;

const labelPrefix = 'pod-security.kubernetes.io/';

/**
 * The policy in the labels of a namespace, and what is wrong with them. A wrong level counts as restricted and a wrong version
 * as the latest, so that a slip does not open a namespace; without a label of its own, warnings follow what is enforced.
 */
export function policyOf(labels: Readonly<Record<string, string>>): {
  readonly policy: PodPolicy;
  readonly causes: readonly StatusCause[];
} {
  const causes: StatusCause[] = [];
  const read = (mode: Mode): LevelVersion => ({
    level: readLevel(labels, mode, causes),
    version: readVersion(labels, mode, causes),
  });
  const enforce = read('enforce');
  const saysWarn = labels[`${labelPrefix}warn`] !== undefined || labels[`${labelPrefix}warn-version`] !== undefined;
  return { policy: { enforce, audit: read('audit'), warn: saysWarn ? read('warn') : enforce }, causes };
}

function readLevel(labels: Readonly<Record<string, string>>, mode: Mode, causes: StatusCause[]): Level {
  const label = `${labelPrefix}${mode}`;
  const value = labels[label];
  if (value === undefined) return 'privileged';
  const level = levels.find((one) => one === value);
  if (level !== undefined) return level;
  causes.push(cause(label, value, `must be one of ${levels.join(', ')}`));
  return 'restricted';
}

function readVersion(labels: Readonly<Record<string, string>>, mode: Mode, causes: StatusCause[]): 'latest' | number {
  const label = `${labelPrefix}${mode}-version`;
  const value = labels[label] ?? 'latest';
  if (value === 'latest') return value;
  const [, minor] = /^v1\.(0|[1-9]\d{0,4})$/.exec(value) ?? [];
  if (minor !== undefined) return Number(minor);
  causes.push(cause(label, value, 'must be "latest" or "v1.x"'));
  return 'latest';
}

function cause(label: string, value: string, detail: string): StatusCause {
  const message = `Invalid value: ${JSON.stringify(value)}: ${detail}`;
  return { reason: 'FieldValueInvalid', field: `metadata.labels[${label}]`, message };
}
