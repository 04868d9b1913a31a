import { compareQuantities, parseQuantity } from '#formats/quantity.ts';
import type { Pod, PodSpec, Toleration } from '#kube/types/gen/core-v1.ts';
import type { RuntimeClass } from '#kube/types/gen/node-v1.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout, refusal } from '../refusal.ts';

const runtimeClasses = { group: 'node.k8s.io', resource: 'runtimeclasses' };

/** Gives a pod what its runtime class costs and where it may run. */
export function runtimeClass(objects: Objects): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    mutate: async (request, signal) => {
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'pods')) return;
      const spec = ((request.object as Pod).spec ??= {});
      const found = await classOf(objects, request, spec, signal);
      if (found?.overhead?.podFixed !== undefined) {
        if (spec.overhead !== undefined && !isSame(spec.overhead, found.overhead.podFixed))
          throw refusal(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        spec.overhead = { ...found.overhead.podFixed };
      }
      if (found?.scheduling !== undefined) schedule(request, spec, found.scheduling);
    },
    validate: async (request, signal) => {
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'pods')) return;
      const spec = (request.object as Pod).spec ?? {};
      const found = await classOf(objects, request, spec, signal);
      const defined = found?.overhead?.podFixed;
      if (Object.keys(spec.overhead ?? {}).length > 0 && defined === undefined)
        throw refusal(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      if (defined !== undefined && !isSame(spec.overhead ?? {}, defined))
        throw refusal(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    },
  };
}

async function classOf(
  objects: Objects,
  request: AdmissionRequest,
  { runtimeClassName = '' }: PodSpec,
  signal: AbortSignal,
): Promise<RuntimeClass | undefined> {
  if (runtimeClassName === '') return undefined;
  const found = await objects.get(runtimeClasses, '', runtimeClassName, signal);
  if (found === undefined)
    throw refusal(request, `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`);
  return found;
}

function schedule(request: AdmissionRequest, spec: PodSpec, wanted: NonNullable<RuntimeClass['scheduling']>): void {
  const selector = { ...spec.nodeSelector };
  for (const [key, value] of Object.entries(wanted.nodeSelector ?? {})) {
    const own = selector[key];
    if (own !== undefined && own !== value) {
      const rule = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}`;
      throw refusal(request, `conflict: ${rule}; pod.spec.nodeSelector[${key}] = ${own}`);
    }
    selector[key] = value;
  }
  if (Object.keys(selector).length > 0) spec.nodeSelector = selector;
  const known = new Set((spec.tolerations ?? []).map(keyOf));
  const added = (wanted.tolerations ?? []).filter((one) => !known.has(keyOf(one)));
  if (added.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...added];
}

function keyOf({ key = '', operator = '', value = '', effect = '', tolerationSeconds }: Toleration): string {
  return JSON.stringify([key, operator, value, effect, tolerationSeconds]);
}

function isSame(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => {
    const [a, b] = [one[name], other[name]];
    return a !== undefined && b !== undefined && compareQuantities(parseQuantity(a), parseQuantity(b)) === 0;
  });
}
