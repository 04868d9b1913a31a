import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { ResourceQuota } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { roundToMillis } from './resource-defaults.ts';

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
