import { isEqualJson } from '#base/json.ts';

import type { Container, PodSchedulingGate, PodSpec, Toleration } from '../../types/gen/core-v1.ts';
import { forbidden, invalid, required } from '../faults.ts';
import type { Faults } from '../object-meta.ts';
import { tolerationFaults } from './scheduling.ts';
import { differenceText } from './difference.ts';

const largestInt = 2 ** 31 - 1;

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** What may not change in the spec of a pod that exists (core/validation, ValidatePodUpdate). */
export function* podUpdateFaults(spec: PodSpec, old: PodSpec): Faults {
  for (const field of ['containers', 'initContainers'] as const) {
    const [containers, before] = [spec[field] ?? [], old[field] ?? []];
    if (containers.length !== before.length) {
      yield forbidden(`spec.${field}`, 'pod updates may not add or remove containers');
      return;
    }
    for (const [index, { image = '' }] of containers.entries())
      if (image === '') yield required(`spec.${field}[${String(index)}].image`);
  }
  const deadline = [...deadlineFaults(spec.activeDeadlineSeconds, old.activeDeadlineSeconds)];
  yield* deadline;
  if (deadline.length > 0 && spec.activeDeadlineSeconds !== undefined) return;
  yield* addedTolerationFaults(spec.tolerations ?? [], old.tolerations ?? []);
  yield* removedGateFaults(spec.schedulingGates ?? [], old.schedulingGates ?? []);
  if (isEqualJson(spec, old)) return;
  const isGated = (old.schedulingGates ?? []).length > 0;
  if (isGated) yield* gatedSelectorFaults(spec.nodeSelector ?? {}, old.nodeSelector ?? {});
  const comparable = withoutUpdatable(spec, old, isGated);
  if (!isEqualJson(comparable, old))
    yield forbidden(
      'spec',
      `pod updates may not change fields other than ${updatable}\n${differenceText(old, comparable)}`,
    );
}

/** The spec with all that may change set back. */
function withoutUpdatable(spec: PodSpec, old: PodSpec, isGated: boolean): PodSpec {
  const withImages = (containers: Container[] | undefined, before: Container[] | undefined) =>
    containers?.map((container, index) => restored(container, before?.[index] ?? {}, 'image'));
  const result: PodSpec = { ...spec };
  const containers = withImages(spec.containers, old.containers);
  const initContainers = withImages(spec.initContainers, old.initContainers);
  if (containers !== undefined) result.containers = containers;
  if (initContainers !== undefined) result.initContainers = initContainers;
  const wasNegative = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  const back: (keyof PodSpec)[] = ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'];
  if (wasNegative) back.push('terminationGracePeriodSeconds');
  if (isGated) back.push('nodeSelector');
  return back.reduce((sum, field) => restored(sum, old, field), result);
}

function restored<T extends object>(value: T, old: T, field: keyof T): T {
  const { [field]: _changed, ...rest } = value;
  return (old[field] === undefined ? rest : { ...rest, [field]: old[field] }) as T;
}

function* deadlineFaults(deadline: number | undefined, old: number | undefined): Faults {
  const path = 'spec.activeDeadlineSeconds';
  if (deadline === undefined) {
    if (old !== undefined) yield invalid(path, undefined, 'must not update from a positive integer to nil value');
  } else if (deadline < 0 || deadline > largestInt)
    yield invalid(path, deadline, `must be between 0 and ${String(largestInt)}, inclusive`);
  else if (old !== undefined && old < deadline)
    yield invalid(path, deadline, 'must be less than or equal to previous value');
}

function* addedTolerationFaults(tolerations: readonly Toleration[], old: readonly Toleration[]): Faults {
  const same = (one: Toleration, other: Toleration): boolean =>
    isEqualJson({ ...one, tolerationSeconds: 0 }, { ...other, tolerationSeconds: 0 });
  if (!old.every((one) => tolerations.some((other) => same(one, other)))) {
    yield forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds');
    return;
  }
  yield* tolerationFaults(tolerations, 'spec.tolerations');
}

function* removedGateFaults(gates: readonly PodSchedulingGate[], old: readonly PodSchedulingGate[]): Faults {
  for (const [index, { name = '' }] of gates.entries())
    if (!old.some((gate) => gate.name === name))
      yield forbidden(
        `spec.schedulingGates[${String(index)}].name`,
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      );
}

/** Before it is scheduled a pod may be narrowed to fewer nodes. */
function* gatedSelectorFaults(
  selector: Readonly<Record<string, string>>,
  old: Readonly<Record<string, string>>,
): Faults {
  if (!Object.entries(old).every(([key, value]) => selector[key] === value))
    yield invalid(
      'spec.nodeSelector',
      selector,
      'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    );
}
