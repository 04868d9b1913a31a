import type { Binding } from '../../types/gen/core-v1.ts';
import { createOnly, defineKind } from '../define-kind.ts';
import { notSupported, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';

export const binding = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  verbs: createOnly,
  validate,
});

function* validate({ target = {} }: Binding): Faults {
  if ((target.kind ?? '') !== '' && target.kind !== 'Node')
    yield notSupported('target.kind', target.kind, ['Node', '<empty>']);
  if ((target.name ?? '') === '') yield required('target.name');
}
