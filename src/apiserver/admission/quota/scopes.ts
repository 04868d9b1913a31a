import type { Resource } from '#kube/resource.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota } from '#kube/types/gen/core-v1.ts';

import type { ResourceName } from '../../auth/objects.ts';
import { podResources } from '../pod-resources.ts';

interface Requirement {
  readonly scopeName: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** Whether a quota is about an object at all: its scopes choose among pods, and by class among claims. */
export function isInScope(quota: ResourceQuota, of: ResourceName, object: Resource): boolean {
  const requirements = requirementsOf(quota);
  if (requirements.length === 0) return true;
  if (of.group !== '') return false;
  if (of.resource === 'pods') return requirements.every((one) => podMatches(one, object as Pod));
  if (of.resource === 'persistentvolumeclaims')
    return requirements.every((one) => claimMatches(one, object as PersistentVolumeClaim));
  return false;
}

function requirementsOf({ spec = {} }: ResourceQuota): readonly Requirement[] {
  return [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists', values: [] })),
    ...(spec.scopeSelector?.matchExpressions ?? []).map(({ scopeName = '', operator = '', values = [] }) => ({
      scopeName,
      operator,
      values,
    })),
  ];
}

function podMatches({ scopeName, operator, values }: Requirement, { spec = {} }: Pod): boolean {
  switch (scopeName) {
    case 'Terminating':
      return isTerminating(spec);
    case 'NotTerminating':
      return !isTerminating(spec);
    case 'BestEffort':
      return isBestEffort(spec);
    case 'NotBestEffort':
      return !isBestEffort(spec);
    case 'PriorityClass':
      return chooses(operator, values, spec.priorityClassName);
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(spec);
    default:
      return false;
  }
}

function claimMatches({ scopeName, operator, values }: Requirement, { spec = {} }: PersistentVolumeClaim): boolean {
  return scopeName === 'VolumeAttributesClass' && chooses(operator, values, spec.volumeAttributesClassName);
}

function chooses(operator: string, values: readonly string[], value = ''): boolean {
  switch (operator) {
    case 'In':
      return value !== '' && values.includes(value);
    case 'NotIn':
      return !values.includes(value);
    case 'Exists':
      return value !== '';
    default:
      return operator === 'DoesNotExist' && value === '';
  }
}

function isTerminating({ activeDeadlineSeconds }: NonNullable<Pod['spec']>): boolean {
  return activeDeadlineSeconds !== undefined && activeDeadlineSeconds >= 0;
}

/** Nothing is asked for and nothing is limited, of processor and memory. */
function isBestEffort(spec: NonNullable<Pod['spec']>): boolean {
  return (['requests', 'limits'] as const).every((field) => {
    const amounts = podResources({ ...spec, overhead: {} }, field);
    return amounts['cpu'] === undefined && amounts['memory'] === undefined;
  });
}

function crossesNamespaces({ affinity = {} }: NonNullable<Pod['spec']>): boolean {
  const terms = [affinity.podAffinity, affinity.podAntiAffinity].flatMap((one) => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm = {} }) => podAffinityTerm),
  ]);
  return terms.some(
    ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
  );
}
