import type { Objects } from '../objects.ts';
import { rbacName, rbacResources, type RbacIndex, type RbacResource } from './rbac-index.ts';

/**
 * Keeps an index as the store is, until the signal aborts. Resolves when all that was there is in it; `onEnd` is told when
 * following ends for another reason than the signal, after which the index is stale.
 */
export async function followRbac(
  objects: Objects,
  index: RbacIndex,
  onEnd: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    rbacResources.map(
      (resource) =>
        new Promise<void>((resolve) => {
          follow(objects, index, resource, resolve, signal)
            .catch((error: unknown) => (signal.aborted ? undefined : onEnd(error)))
            .finally(resolve);
        }),
    ),
  );
}

async function follow(
  objects: Objects,
  index: RbacIndex,
  resource: RbacResource,
  onSynced: () => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const { type, object } of objects.follow(rbacName(resource), signal)) {
    if (type === 'synced') onSynced();
    else if (object !== undefined) index[type](resource, object);
  }
}
