import type { Objects } from '../auth/objects.ts';
import { ensure } from './ensure.ts';

/** Above what users may give: their highest is a billion. */
const classes = [
  ['system-node-critical', 2_000_001_000, 'Pods that a node cannot do its work without; nothing pushes them away.'],
  ['system-cluster-critical', 2_000_000_000, 'Pods that the cluster cannot do its work without.'],
] as const;

/** Makes the two classes that every cluster has. */
export async function createSystemPriorityClasses(objects: Objects, signal: AbortSignal): Promise<void> {
  for (const [name, value, description] of classes) {
    const object = {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      description,
      preemptionPolicy: 'PreemptLowerPriority',
    };
    await ensure(objects, { group: 'scheduling.k8s.io', resource: 'priorityclasses' }, object, signal);
  }
}
