import type { Binding } from '../../types/gen/core-v1.ts';
import { createOnly, defineKind } from '../define-kind.ts';

export const binding = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  verbs: createOnly,
});
