import { baselineChecks } from './baseline-checks.ts';
import type { Check, CheckedPod, Finding } from './check.ts';
import { restrictedChecks } from './restricted-checks.ts';

export const levels = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof levels)[number];

/** A standard as of a version of Kubernetes: `restricted:latest`, `baseline:v1.30`. */
export interface LevelVersion {
  readonly level: Level;
  /** Minor version; `latest` is the one of this server. */
  readonly version: 'latest' | number;
}

/** Kubernetes 1.34, whose standards these are. */
const latestMinor = 34;
/** Pods of Windows are asked less from this version on. */
const windowsSince = 25;

export function levelText({ level, version }: LevelVersion): string {
  return `${level}:${version === 'latest' ? version : `v1.${String(version)}`}`;
}

/** What a pod has that a standard forbids; none for a pod that meets it. */
export function findingsOf(pod: CheckedPod, { level, version }: LevelVersion): readonly Finding[] {
  const minor = version === 'latest' ? latestMinor : Math.min(version, latestMinor);
  return checksOf(level, minor)
    .filter(({ isForLinux = false }) => !(isForLinux && minor >= windowsSince && pod.spec.os?.name === 'windows'))
    .flatMap((check) => check.find(pod, minor) ?? []);
}

/** `hostPort (container "a" uses hostPort 80), privileged (...)`. */
export function findingsText(findings: readonly Finding[]): string {
  return findings.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
}

function checksOf(level: Level, minor: number): readonly Check[] {
  if (level === 'privileged') return [];
  const isKnown = ({ since }: Check): boolean => since <= minor;
  const baseline = baselineChecks.filter(isKnown);
  if (level === 'baseline') return baseline;
  const restricted = restrictedChecks.filter(isKnown);
  const replaced = new Set(restricted.map(({ replaces }) => replaces));
  return [...baseline.filter(({ id }) => !replaced.has(id)), ...restricted];
}
