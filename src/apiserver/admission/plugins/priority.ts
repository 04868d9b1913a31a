import type { Pod } from '#kube/types/gen/core-v1.ts';
import type { PriorityClass } from '#kube/types/gen/scheduling-v1.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout, refusal } from '../refusal.ts';

const priorityClasses = { group: 'scheduling.k8s.io', resource: 'priorityclasses' };

/** Puts the number of a pod's priority class into it. */
export function priority(objects: Objects): AdmissionPlugin {
  return {
    name: 'Priority',
    mutate: async (request, signal) => {
      if (!isAbout(request, '', 'pods')) return;
      if (request.operation === 'UPDATE') keepPriority(request.object as Pod, request.oldObject as Pod);
      if (request.operation === 'CREATE') await setPriority(objects, request, signal);
    },
    validate: async (request, signal) => {
      const isWrite = request.operation === 'CREATE' || request.operation === 'UPDATE';
      if (!isWrite || !isAbout(request, priorityClasses.group, priorityClasses.resource)) return;
      const { globalDefault = false, metadata } = request.object as PriorityClass;
      if (!globalDefault) return;
      const other = (await classesOf(objects, signal)).find(
        (one) => one.globalDefault === true && one.metadata.name !== metadata.name,
      );
      if (other === undefined) return;
      const name = other.metadata.name ?? '';
      throw refusal(request, `PriorityClass ${name} is already marked as default. Only one default can exist`);
    },
  };
}

/** Clients that do not know the fields must not lose them. */
function keepPriority(pod: Pod, old: Pod): void {
  const [spec, before] = [(pod.spec ??= {}), old.spec ?? {}];
  if (spec.priority === undefined && before.priority !== undefined) spec.priority = before.priority;
  if (spec.preemptionPolicy === undefined && before.preemptionPolicy !== undefined)
    spec.preemptionPolicy = before.preemptionPolicy;
}

async function setPriority(objects: Objects, request: AdmissionRequest, signal: AbortSignal): Promise<void> {
  const spec = ((request.object as Pod).spec ??= {});
  const found = await classFor(objects, request, spec.priorityClassName ?? '', signal);
  const value = found?.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== value) {
    const rule = `the integer value of priority (${String(spec.priority)}) must not be provided in pod spec`;
    throw refusal(
      request,
      `${rule}; priority admission controller computed ${String(value)} from the given PriorityClass name`,
    );
  }
  const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const rule = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec`;
    throw refusal(
      request,
      `${rule}; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  }
  if (found?.metadata.name !== undefined) spec.priorityClassName = found.metadata.name;
  spec.priority = value;
  spec.preemptionPolicy = policy;
}

/** The named class, or the default one with the least value; undefined when there is neither name nor default. */
async function classFor(
  objects: Objects,
  request: AdmissionRequest,
  name: string,
  signal: AbortSignal,
): Promise<PriorityClass | undefined> {
  if (name === '') {
    const defaults = (await classesOf(objects, signal)).filter((one) => one.globalDefault === true);
    return defaults.toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  }
  const found = await objects.get(priorityClasses, '', name, signal);
  if (found === undefined) throw refusal(request, `no PriorityClass with name ${name} was found`);
  return found;
}

async function classesOf(objects: Objects, signal: AbortSignal): Promise<readonly PriorityClass[]> {
  return await objects.list(priorityClasses, '', signal);
}
