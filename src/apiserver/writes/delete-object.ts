import type { Resource } from '#kube/resource.ts';
import { ApiError, conflict, notFound } from '#kube/status.ts';

import { groupResourceOf, viewOne, type ServedResource } from '../resources/served-resource.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { gracePeriodOf } from './grace-period.ts';
import { timeText } from './object-meta.ts';
import { isReleased, storageOf } from './update-object.ts';
import { admissionRequest, type WriteContext, type WriteOptions } from './write-options.ts';

/** meta/v1 DeleteOptions. */
export interface Deletion {
  readonly graceSeconds: number | undefined;
  readonly propagation: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

export interface Deleted {
  /** The object as it was last, or as it is now while something holds it. */
  readonly object: Resource;
  readonly isGone: boolean;
}

const attemptsMost = 10;
const holds = { Orphan: 'orphan', Foreground: 'foregroundDeletion' } as const;

/**
 * Deletes an object, or marks it as being deleted while finalizers or a grace period hold it. Throws NotFound, Conflict for
 * preconditions, and what admission throws.
 */
export async function deleteObject(
  context: WriteContext,
  resource: ServedResource,
  target: { readonly namespace: string; readonly name: string },
  deletion: Deletion,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Deleted> {
  const storage = storageOf(resource, target.name);
  for (let attempt = 1; ; attempt += 1) {
    const current = await storage.get(target.namespace, target.name, signal);
    if (current === undefined) throw notFound(groupResourceOf(resource.def), target.name);
    const oldObject = (await viewOne(resource, current, signal)).object;
    checkPreconditions(resource, oldObject, deletion);
    const parts = { operation: 'DELETE', optionsKind: 'DeleteOptions', object: undefined } as const;
    const request = admissionRequest(resource, options, { ...parts, ...target, oldObject });
    await context.admission.mutate(request, signal);
    await context.admission.validate(request, signal);
    try {
      return await deleteState(context, resource, current, deletion, options, signal);
    } catch (error) {
      const isLate = error instanceof ApiError && error.statusReason === 'Conflict';
      if (!isLate || deletion.resourceVersion !== undefined || attempt >= attemptsMost) throw error;
    }
  }
}

async function deleteState(
  context: WriteContext,
  resource: ServedResource,
  current: StoredObject,
  deletion: Deletion,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Deleted> {
  const storage = storageOf(resource, current.object.metadata.name ?? '');
  const shown = await viewOne(resource, current, signal);
  const marked = markDeleted(current.object, deletion, context.nowMs());
  if (marked === undefined) return { object: shown.object, isGone: false };
  const isGone = isReleased(marked);
  if (isGone && options.isDryRun) return { object: shown.object, isGone };
  if (isGone) return { object: shown.at((await storage.remove(current, signal)).revision).object, isGone };
  const next = options.isDryRun ? current.as(marked) : await storage.replace(current, marked, signal);
  return { object: (await viewOne(resource, next, signal)).object, isGone };
}

/** The object with the marks of its deletion; undefined when it has them already and nothing is shortened. */
function markDeleted(object: Resource, deletion: Deletion, nowMs: number): Resource | undefined {
  const { metadata } = object;
  const graceSeconds = gracePeriodOf(object, deletion.graceSeconds);
  const finalizers = finalizersAfter(metadata.finalizers ?? [], deletion.propagation);
  const { finalizers: _, ...bare } = metadata;
  const isUnchanged = finalizers.join() === (metadata.finalizers ?? []).join();
  if (metadata.deletionTimestamp !== undefined) {
    const before = metadata.deletionGracePeriodSeconds ?? 0;
    const isShorter = graceSeconds < before;
    if (isUnchanged && !isShorter) return undefined;
    const times = isShorter
      ? {
          deletionTimestamp: timeText(Date.parse(metadata.deletionTimestamp) - (before - graceSeconds) * 1000),
          deletionGracePeriodSeconds: graceSeconds,
        }
      : {};
    return { ...object, metadata: { ...bare, ...times, ...(finalizers.length === 0 ? {} : { finalizers }) } };
  }
  return terminating({
    ...object,
    metadata: {
      ...bare,
      deletionTimestamp: timeText(nowMs + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
      ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
      ...(finalizers.length === 0 ? {} : { finalizers }),
    },
  });
}

/** Namespaces say in their status that they are going. */
function terminating(object: Resource): Resource {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return object;
  return { ...object, status: { ...(object['status'] as object | undefined), phase: 'Terminating' } };
}

/** `Orphan` and `Foreground` are done by the garbage collector, which these finalizers let work first. */
function finalizersAfter(present: readonly string[], propagation: Deletion['propagation']): readonly string[] {
  if (propagation === undefined) return present;
  const others = present.filter((one) => one !== holds.Orphan && one !== holds.Foreground);
  return propagation === 'Background' ? others : [...others, holds[propagation]];
}

function checkPreconditions({ def }: ServedResource, object: Resource, { uid, resourceVersion }: Deletion): void {
  const { metadata } = object;
  const name = metadata.name ?? '';
  if (uid !== undefined && uid !== metadata.uid) {
    const uids = `UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`;
    throw conflict(groupResourceOf(def), name, `Precondition failed: ${uids}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const versions = `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion ?? ''}`;
    throw conflict(groupResourceOf(def), name, `Precondition failed: ${versions}`);
  }
}
