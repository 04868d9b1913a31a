import type { LimitRange } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { roundToMillis } from './resource-defaults.ts';

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  setDefaults,
});

function setDefaults({ spec }: LimitRange): void {
  for (const limit of spec?.limits ?? []) {
    for (const resources of [limit.max, limit.min, limit.default, limit.defaultRequest, limit.maxLimitRequestRatio])
      roundToMillis(resources);
    if (limit.type !== 'Container') continue;
    limit.default = { ...limit.max, ...limit.default };
    limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest };
  }
}
