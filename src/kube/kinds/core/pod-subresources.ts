import { isEqualJson } from '#base/json.ts';
import { compareQuantities } from '#formats/quantity.ts';

import type { Container, Pod, ResourceRequirements } from '../../types/gen/core-v1.ts';
import { forbidden, invalid } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { differenceText } from '../../validation/pod/difference.ts';
import { podSpecFaults } from '../../validation/pod/pod-spec.ts';
import { quantityOf } from '../../validation/resources.ts';
import { qosClassOf } from './qos-class.ts';

const mirror = 'kubernetes.io/config.mirror';

/** Ephemeral containers can be added, and never be changed or taken away. */
export function* ephemeralContainerFaults({ metadata, spec = {} }: Pod, old: Pod): Faults {
  const path = 'spec.ephemeralContainers';
  if (old.metadata.annotations?.[mirror] !== undefined) {
    yield forbidden('', 'static pods do not support ephemeral containers');
    return;
  }
  yield* podSpecFaults(spec, metadata.name ?? '', 'spec');
  for (const container of old.spec?.ephemeralContainers ?? []) {
    const name = JSON.stringify(container.name ?? '');
    const now = (spec.ephemeralContainers ?? []).find((one) => one.name === container.name);
    if (now === undefined) yield forbidden(path, `existing ephemeral containers ${name} may not be removed\n`);
    else if (!isEqualJson(now, container))
      yield forbidden(
        path,
        `existing ephemeral containers ${name} may not be changed\n${differenceText(container, now)}`,
      );
  }
}

/** Requests and limits of processor time and memory can be changed while a pod runs. */
export function* resizeFaults(pod: Pod, old: Pod): Faults {
  const [spec, before] = [pod.spec ?? {}, old.spec ?? {}];
  if (old.metadata.annotations?.[mirror] !== undefined) {
    yield forbidden('', 'static pods cannot be resized');
    return;
  }
  if ([spec, before].some(({ resources }) => Object.keys(resources ?? {}).length > 0)) {
    yield forbidden('', 'pods with pod-level resources cannot be resized');
    return;
  }
  yield* podSpecFaults(spec, pod.metadata.name ?? '', 'spec');
  if (qosClassOf(spec) !== qosClassOf(before))
    yield invalid('spec', pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing');
  const isSame = (one: Container, index: number): boolean =>
    isEqualJson(withoutComputed(one), withoutComputed(before.containers?.[index] ?? {}));
  if ((spec.containers ?? []).length !== (before.containers ?? []).length || !(spec.containers ?? []).every(isSame))
    yield forbidden('spec', 'only cpu and memory resources are mutable');
  for (const [index, container] of (before.containers ?? []).entries()) {
    const now = spec.containers?.[index];
    if (now !== undefined) yield* oneResizeFaults(now, container, `spec.containers[${String(index)}].resources`);
  }
}

function* oneResizeFaults(container: Container, old: Container, path: string): Faults {
  for (const field of ['requests', 'limits'] as const) {
    const now = container.resources?.[field] ?? {};
    if (Object.keys(old.resources?.[field] ?? {}).some((name) => now[name] === undefined))
      yield forbidden(`${path}.${field}`, `resource ${field} cannot be removed`);
  }
  const policy = container.resizePolicy?.find(({ resourceName }) => resourceName === 'memory')?.restartPolicy;
  if (policy === 'RestartContainer') return;
  const [limit, before] = [memoryLimit(container.resources), memoryLimit(old.resources)];
  if (limit === undefined) return;
  const verb = before === undefined ? 'added' : 'decreased';
  if (before === undefined || compareQuantities(limit, before) < 0)
    yield forbidden(
      `${path}.limits[memory]`,
      `memory limits cannot be ${verb} unless resizePolicy is RestartContainer`,
    );
}

function memoryLimit(resources: ResourceRequirements | undefined) {
  return quantityOf(resources?.limits?.['memory']);
}

function withoutComputed(container: Container): Container {
  const without = (list: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(list).filter(([name]) => name !== 'cpu' && name !== 'memory'));
  const { limits, requests, ...rest } = container.resources ?? {};
  const { resizePolicy: _policy, ...others } = container;
  return { ...others, resources: { ...rest, limits: without(limits), requests: without(requests) } };
}
