import type { PodFailurePolicy, PodFailurePolicyRule } from '#kube/types/gen/batch-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

export interface FailureVerdict {
  readonly action: 'Count' | 'Ignore' | 'FailJob' | 'FailIndex';
  /** Which rule decided, and why. */
  readonly message?: string;
}

/** What the first rule that matches a failed pod says; without one the failure counts. */
export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const why = exitMatch(rule, pod) ?? conditionMatch(rule, pod);
    if (why === undefined) continue;
    const action = (rule.action ?? 'Count') as FailureVerdict['action'];
    return { action, message: `${why} matching ${action} rule at index ${String(index)}` };
  }
  return { action: 'Count' };
}

function exitMatch({ onExitCodes }: PodFailurePolicyRule, { metadata, status }: Pod): string | undefined {
  if (onExitCodes === undefined) return undefined;
  const { operator, values = [], containerName } = onExitCodes;
  for (const { name = '', state } of [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]) {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (containerName !== undefined && containerName !== name)) continue;
    if (values.includes(code) === (operator === 'In'))
      return `Container ${name} for pod ${metadata.namespace ?? ''}/${metadata.name ?? ''} failed with exit code ${String(code)}`;
  }
  return undefined;
}

function conditionMatch({ onPodConditions }: PodFailurePolicyRule, { metadata, status }: Pod): string | undefined {
  for (const pattern of onPodConditions ?? []) {
    const found = status?.conditions?.find(({ type }) => type === pattern.type);
    if (found?.status === (pattern.status ?? 'True'))
      return `Pod ${metadata.namespace ?? ''}/${metadata.name ?? ''} has condition ${pattern.type ?? ''}`;
  }
  return undefined;
}
