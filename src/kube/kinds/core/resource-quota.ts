import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { ResourceQuota } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { roundToMillis } from './resource-defaults.ts';
import { isEqualJson } from '#base/json.ts';
import { invalid, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { quotaResourceFaults, resourceQuantityFaults } from '../../validation/resources.ts';

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  columns: [
    nameColumn,
    text('Request', 'Used and allowed, of all but limits.', (quota) => usage(quota, false)),
    text('Limit', 'Used and allowed, of limits.', (quota) => usage(quota, true)),
    ageColumn,
  ],
  initialStatus: {},
  setDefaults,
  validate,
});

function usage({ status = {} }: ResourceQuota, ofLimits: boolean): string {
  return Object.keys(status.hard ?? {})
    .filter((name) => name.startsWith('limits.') === ofLimits)
    .toSorted()
    .map((name) => `${name}: ${status.used?.[name] ?? '0'}/${status.hard?.[name] ?? '0'}`)
    .join(', ');
}

function setDefaults({ spec }: ResourceQuota): void {
  roundToMillis(spec?.hard);
}

const scopes = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
];

function* validate({ spec = {} }: ResourceQuota, old: ResourceQuota | undefined): Faults {
  for (const [name, text] of Object.entries(spec.hard ?? {})) {
    yield* quotaResourceFaults(name, `spec.hard[${name}]`);
    yield* resourceQuantityFaults(name, text, `spec.hard[${name}]`);
  }
  yield* scopeFaults(spec.scopes ?? [], 'spec.scopes', spec.scopes);
  const expressions = spec.scopeSelector?.matchExpressions ?? [];
  const path = 'spec.scopeSelector.matchExpressions';
  yield* scopeFaults(
    expressions.map(({ scopeName = '' }) => scopeName),
    `${path}.scopeName`,
    undefined,
  );
  for (const { scopeName = '', operator = '', values = [] } of expressions) {
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        yield required(
          `${path}.values`,
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        yield invalid(
          `${path}.values`,
          values,
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        );
    } else yield invalid(`${path}.operator`, operator, 'not a valid selector operator');
    if (
      scopeName !== 'PriorityClass' &&
      scopeName !== 'VolumeAttributesClass' &&
      scopes.includes(scopeName) &&
      operator !== 'Exists'
    )
      yield invalid(
        `${path}.operator`,
        operator,
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      );
  }
  if (old !== undefined && !isEqualJson((spec.scopes ?? []).toSorted(), (old.spec?.scopes ?? []).toSorted()))
    yield invalid('spec.scopes', spec.scopes, 'field is immutable');
}

function* scopeFaults(used: readonly string[], path: string, shown: readonly string[] | undefined): Faults {
  for (const scope of used) if (!scopes.includes(scope)) yield invalid(path, shown ?? scope, 'unsupported scope');
  const both = (one: string): boolean => used.includes(one) && used.includes(`Not${one}`);
  if (both('BestEffort') || both('Terminating')) yield invalid(path, used, 'conflicting scopes');
}
