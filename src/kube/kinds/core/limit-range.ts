import type { LimitRange } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
});
