import { isEqualJson } from '#base/json.ts';
import { copyJson } from '#kube/patch/json-tree.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError, conflict, invalid, notFound } from '#kube/status.ts';

import { groupResourceOf, viewOne, type ServedResource } from '../resources/served-resource.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { checkObject, refuseFaults, shownAfterWrite } from './create-object.ts';
import { keptMetadata, withMetadata } from './object-meta.ts';
import { admissionRequest, type WriteContext, type WriteOptions } from './write-options.ts';

/** An update as a function of the latest state, so that it can be done again when somebody else was quicker. */
export interface Update {
  readonly namespace: string;
  readonly name: string;
  /**
   * The new state in the served version, of the state before. Its resourceVersion, when it has one, must be that of the
   * state before; so must its uid.
   */
  readonly change: (current: Resource) => Promise<Resource> | Resource;
  readonly optionsKind: 'UpdateOptions' | 'PatchOptions';
}

/** Attempts while the client did not say which state it wants to change. */
const attemptsMost = 10;

/**
 * Changes an object. Resolves with its new state in the served version; a change that changes nothing writes nothing.
 * Throws NotFound, Conflict, Invalid and what admission throws.
 */
export async function updateObject(
  context: WriteContext,
  resource: ServedResource,
  update: Update,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Resource> {
  const storage = storageOf(resource, update.name);
  for (let attempt = 1; ; attempt += 1) {
    const current = await storage.get(update.namespace, update.name, signal);
    if (current === undefined) throw notFound(groupResourceOf(resource.def), update.name);
    const before = (await viewOne(resource, current, signal)).object;
    const given = await update.change(copyJson(before) as Resource);
    if (update.optionsKind === 'UpdateOptions') requireRevision(resource, given);
    checkPreconditions(resource, given, before);
    try {
      return await replaceObject(context, resource, { current, before, given, update }, options, signal);
    } catch (error) {
      const isLate = error instanceof ApiError && error.statusReason === 'Conflict';
      const isPinned = (given.metadata.resourceVersion ?? '') !== '' && update.optionsKind === 'UpdateOptions';
      if (!isLate || isPinned || attempt >= attemptsMost) throw error;
    }
  }
}

const keepsGeneration = new Set(['status', 'approval', 'finalize', 'binding']);
const checkedParts = new Set(['binding', 'approval']);

interface Replacement {
  readonly current: StoredObject;
  readonly before: Resource;
  readonly given: Resource;
  readonly update: Update;
}

async function replaceObject(
  context: WriteContext,
  resource: ServedResource,
  { current, before, given, update }: Replacement,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Resource> {
  const { def } = resource;
  let object = keptMetadata(given, before);
  def.setDefaults?.(object);
  object = ofSubresource(resource, object, before, options.subresource);
  if (options.isApply !== true) object = await context.fields.track(resource, before, object, options, signal);
  const { namespace, name, optionsKind } = update;
  const parts = { operation: 'UPDATE', optionsKind, namespace, name, oldObject: before } as const;
  const request = admissionRequest(resource, options, { ...parts, object });
  await context.admission.mutate(request, signal);
  object = request.object ?? object;
  def.setDefaults?.(object);
  if (!keepsGeneration.has(options.subresource)) def.prepare?.(object, before);
  const rules = def.subresourceRules?.[options.subresource];
  if (rules !== undefined) refuseFaults(def, object, [...rules(object, before)]);
  // The rules of updates are those of the object itself; its parts have checked what they let through.
  else if (!checkedParts.has(options.subresource)) checkObject(resource, object, before);
  await context.admission.validate(admissionRequest(resource, options, { ...parts, object }), signal);
  return storeChanged(resource, current, before, object, options, signal);
}

async function storeChanged(
  resource: ServedResource,
  current: StoredObject,
  before: Resource,
  object: Resource,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Resource> {
  const storage = storageOf(resource, object.metadata.name ?? '');
  const resourceVersion = before.metadata.resourceVersion ?? '';
  if (options.isDryRun || isSame(object, before)) return withMetadata(object, { resourceVersion });
  if (isReleased(object)) {
    const removed = await storage.remove(current, signal);
    return withMetadata(object, { resourceVersion: String(removed.revision) });
  }
  const next = (await resource.conversion?.toStored(object, signal)) ?? object;
  return shownAfterWrite(resource, object, await storage.replace(current, next, signal), signal);
}

/** Whether an object that is being deleted has nothing that holds it any more. */
export function isReleased({ metadata, spec, kind, apiVersion }: Resource): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false;
  if ((metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  if (kind !== 'Namespace' || apiVersion !== 'v1') return true;
  return ((spec as { finalizers?: readonly string[] } | undefined)?.finalizers ?? []).length === 0;
}

/** What a subresource does not change stays as it was. */
function ofSubresource(
  { def, custom }: ServedResource,
  object: Resource,
  before: Resource,
  subresource: string,
): Resource {
  if (subresource !== 'status') return object;
  const { labels } = before.metadata;
  const metadata = { ...object.metadata };
  delete (metadata as { ownerReferences?: unknown }).ownerReferences;
  if (before.metadata.ownerReferences !== undefined)
    Object.assign(metadata, { ownerReferences: before.metadata.ownerReferences });
  if (def.group === 'apps') Object.assign(metadata, { labels });
  const { status: _, ...rest } = before;
  // A status that is left out is an empty one; of custom resources it is none.
  const isNone = !('status' in object) && custom !== undefined;
  return {
    ...rest,
    apiVersion: before.apiVersion,
    kind: before.kind,
    metadata,
    ...(isNone ? {} : { status: object['status'] ?? {} }),
  };
}

/** Throws Invalid, in upstream's words and with its number (registry/generic/registry/store.go). */
function requireRevision({ def }: ServedResource, { metadata }: Resource): void {
  const { resourceVersion = '', name = '' } = metadata;
  if (!def.needsRevision || resourceVersion !== '') return;
  const message = 'Invalid value: 0x0: must be specified for an update';
  const cause = { reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' };
  throw invalid({ group: def.group, kind: def.plural }, name, [cause]);
}

function checkPreconditions({ def }: ServedResource, given: Resource, before: Resource): void {
  const { resourceVersion = '', uid = '', name = '' } = given.metadata;
  if (uid !== '' && uid !== before.metadata.uid) {
    const uids = `UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid ?? ''}`;
    throw conflict(groupResourceOf(def), name, `Precondition failed: ${uids}`);
  }
  if (resourceVersion !== '' && resourceVersion !== before.metadata.resourceVersion)
    throw conflict(groupResourceOf(def), name);
}

/** Whether nothing but times of managers and the revision differ. */
function isSame(object: Resource, before: Resource): boolean {
  return isEqualJson(comparable(object), comparable(before));
}

function comparable(object: Resource): unknown {
  const { resourceVersion: _, managedFields = [], ...metadata } = object.metadata;
  const managers = managedFields.map(({ time: __, ...entry }) => entry);
  return { ...object, metadata: { ...metadata, managers } };
}

export function storageOf({ def, storage }: ServedResource, name: string): ObjectStorage {
  if (storage !== undefined) return storage;
  throw notFound(groupResourceOf(def), name);
}
