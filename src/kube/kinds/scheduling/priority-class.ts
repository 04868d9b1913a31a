import { ageColumn, count, flag, nameColumn, text } from '../../printing/columns.ts';
import type { PriorityClass } from '../../types/gen/scheduling-v1.ts';
import { defineKind } from '../define-kind.ts';
import { forbidden } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { choiceFaults } from '../../validation/values.ts';

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
  generationOf: [],
  setDefaults,
  validate,
});

function setDefaults(object: PriorityClass): void {
  object.preemptionPolicy ??= 'PreemptLowerPriority';
}

const userValueMost = 1_000_000_000;
const systemPrefix = 'system-';
/** Classes that the system has. */
const systemClasses: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

function* validate({ metadata, value = 0, preemptionPolicy }: PriorityClass, old: PriorityClass | undefined): Faults {
  const { name = '' } = metadata;
  if (name.startsWith(systemPrefix)) {
    if (systemClasses[name] !== value)
      yield forbidden(
        'metadata.name',
        `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${name} is not a known system priority class`,
      );
  } else if (value > userValueMost)
    yield forbidden('value', `maximum allowed value of a user defined priority is ${String(userValueMost)}`);
  yield* choiceFaults('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  if (old === undefined) return;
  if (value !== (old.value ?? 0)) yield forbidden('value', 'may not be changed in an update.');
  yield* immutable('preemptionPolicy', preemptionPolicy, old.preemptionPolicy);
}
