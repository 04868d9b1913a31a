import { ageColumn, count, nameColumn, text } from '../../printing/columns.ts';
import type { PodDisruptionBudget } from '../../types/gen/policy-v1.ts';
import { defineKind } from '../define-kind.ts';
import { invalid } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { selectorFaults } from '../../validation/selectors.ts';
import { choiceFaults, countOrShareFaults, wholeShareFaults } from '../../validation/values.ts';

const notSet = 'N/A';

export const podDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  needsRevision: true,
  shortNames: ['pdb'],
  columns: [
    nameColumn,
    text('Min Available', 'Pods that must be left.', ({ spec }) => String(spec?.minAvailable ?? notSet)),
    text('Max Unavailable', 'Pods that may be missing.', ({ spec }) => String(spec?.maxUnavailable ?? notSet)),
    count('Allowed Disruptions', 'Pods that may be evicted now.', ({ status }) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ],
  initialStatus: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  generationOf: ['spec'],
  validate,
});

function* validate({ spec = {} }: PodDisruptionBudget): Faults {
  const { minAvailable, maxUnavailable } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    yield invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set');
  for (const [field, value] of Object.entries({ minAvailable, maxUnavailable })) {
    yield* countOrShareFaults(`spec.${field}`, value);
    yield* wholeShareFaults(`spec.${field}`, value);
  }
  yield* selectorFaults(spec.selector, 'spec.selector');
  yield* choiceFaults('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, [
    'AlwaysAllow',
    'IfHealthyBudget',
  ]);
}
