import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { RuntimeClass } from '../../types/gen/node-v1.ts';
import { defineKind } from '../define-kind.ts';

export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  scope: 'Cluster',
  columns: [nameColumn, text('Handler', 'Runtime that nodes use for it.', ({ handler }) => handler ?? ''), ageColumn],
});
