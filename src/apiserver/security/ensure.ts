import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';

import type { Objects, ResourceName } from '../auth/objects.ts';

/** Makes an object where there is none; what is there stays as it is. Returns whether it was made. */
export async function ensure(
  objects: Objects,
  of: ResourceName,
  object: Resource,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace = '', name = '' } = object.metadata;
  if ((await objects.get(of, namespace, name, signal)) !== undefined) return false;
  try {
    await objects.create(of, object, signal);
    return true;
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) return false;
    throw error;
  }
}

/** Whether an error is a Status of one of these reasons. */
export function isReason(error: unknown, ...reasons: readonly string[]): boolean {
  return error instanceof ApiError && reasons.includes(error.statusReason);
}

/** Calls back with each object that is there or comes, one after the other; a failure is told and does not end it. */
export async function forEachPut(
  objects: Objects,
  of: ResourceName,
  work: (object: Resource) => Promise<void>,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const { type, object } of objects.follow(of, signal)) {
    if (type !== 'put' || object === undefined) continue;
    // What was changed meanwhile comes again.
    await work(object).catch((error: unknown) => {
      if (!signal.aborted && !isReason(error, 'Conflict', 'NotFound')) onError(error);
    });
  }
}
