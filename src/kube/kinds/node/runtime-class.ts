import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { RuntimeClass } from '../../types/gen/node-v1.ts';
import { defineKind } from '../define-kind.ts';
import { invalids } from '../../validation/faults.ts';
import { labelFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable, labelMapFaults } from '../../validation/object-meta.ts';
import { tolerationFaults } from '../../validation/pod/scheduling.ts';
import { requirementFaults } from '../../validation/resources.ts';

export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  needsRevision: true,
  createsOnUpdate: true,
  scope: 'Cluster',
  columns: [nameColumn, text('Handler', 'Runtime that nodes use for it.', ({ handler }) => handler ?? ''), ageColumn],
  validate,
});

function* validate({ handler = '', overhead, scheduling }: RuntimeClass, old: RuntimeClass | undefined): Faults {
  yield* invalids('handler', handler, labelFaults(handler));
  if (overhead?.podFixed !== undefined)
    yield* requirementFaults({ limits: overhead.podFixed }, 'overhead.podFixed', new Set());
  yield* labelMapFaults(scheduling?.nodeSelector, 'scheduling.nodeSelector');
  yield* tolerationFaults(scheduling?.tolerations ?? [], 'scheduling.tolerations');
  if (old !== undefined) yield* immutable('handler', handler, old.handler ?? '');
}
