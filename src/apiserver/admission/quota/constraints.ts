import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

/** Limits that a quota can only count when every container says them. */
const compute = ['cpu', 'memory'] as const;

/**
 * What containers must say because a quota limits it, as upstream words it: `limits.cpu for: a,b; limits.memory for: a`. Empty
 * when nothing is missing.
 */
export function missingConstraints(pod: Pod, hard: readonly string[]): string {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const missing: string[] = [];
  for (const name of hard.toSorted()) {
    const says = constraintOf(name);
    if (says === undefined) continue;
    const names = containers.filter((one) => !says(one)).map((one) => one.name ?? '');
    const isOnPod = pod.spec?.resources !== undefined && says({ resources: pod.spec.resources });
    if (names.length > 0 && !isOnPod) missing.push(`${name} for: ${names.toSorted().join(',')}`);
  }
  return missing.join('; ');
}

/** Requests count as said when there is a limit, which they are by default. */
function constraintOf(name: string): ((container: Container) => boolean) | undefined {
  for (const resource of compute) {
    const amount = ({ resources = {} }: Container, field: 'requests' | 'limits'): string | undefined =>
      resources[field]?.[resource];
    if (name === resource || name === `requests.${resource}`) return (one) => amount(one, 'requests') !== undefined;
    if (name === `limits.${resource}`) return (one) => amount(one, 'limits') !== undefined;
  }
  return undefined;
}
