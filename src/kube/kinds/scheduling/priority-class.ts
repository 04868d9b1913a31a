import { ageColumn, count, flag, nameColumn, text } from '../../printing/columns.ts';
import type { PriorityClass } from '../../types/gen/scheduling-v1.ts';
import { defineKind } from '../define-kind.ts';

export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  scope: 'Cluster',
  columns: [
    nameColumn,
    count('Value', 'Priority of its pods.', ({ value }) => value ?? 0),
    flag('Global-Default', 'Whether pods without a class get it.', ({ globalDefault }) => globalDefault ?? false),
    ageColumn,
    text(
      'PreemptionPolicy',
      'Whether its pods may drive others out.',
      ({ preemptionPolicy }) => preemptionPolicy ?? '',
    ),
  ],
  setDefaults,
});

function setDefaults(object: PriorityClass): void {
  object.preemptionPolicy ??= 'PreemptLowerPriority';
}
