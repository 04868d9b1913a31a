import type { FieldError } from '#kube/field-error.ts';
import { copyJson } from '#kube/patch/json-tree.ts';
import type { Resource } from '#kube/resource.ts';
import { alreadyExists, ApiError, invalid, notFound } from '#kube/status.ts';
import { causesOf } from '#kube/validation/faults.ts';

import { groupKindOf, groupResourceOf, viewOne, type ServedResource } from '../resources/served-resource.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { generatedName, newMetadata, withMetadata } from './object-meta.ts';
import { admissionRequest, type WriteContext, type WriteOptions } from './write-options.ts';

/** Names that are tried for a generateName, as upstream does. */
const generatedNamesMost = 8;

/**
 * Creates an object of the served version: defaults, admission, validation, store. The given object is the caller's own.
 * Resolves with it as it was stored. Throws AlreadyExists, Invalid and what admission throws.
 */
export async function createObject(
  context: WriteContext,
  resource: ServedResource,
  given: Resource,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Resource> {
  const { generateName = '', name = '' } = given.metadata;
  if (name !== '' || generateName === '') return createNamed(context, resource, given, options, signal);
  for (let attempt = 1; ; attempt += 1) {
    const named = withMetadata(copyJson(given) as Resource, { name: generatedName(generateName) });
    try {
      return await createNamed(context, resource, named, options, signal);
    } catch (error) {
      const isTaken = error instanceof ApiError && error.statusReason === 'AlreadyExists';
      if (!isTaken || attempt >= generatedNamesMost) throw error;
    }
  }
}

async function createNamed(
  context: WriteContext,
  resource: ServedResource,
  given: Resource,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Resource> {
  const { def } = resource;
  let object = newMetadata(given, context.nowMs());
  def.setDefaults?.(object);
  if (options.isApply !== true) object = await context.fields.track(resource, undefined, object, options, signal);
  const { name = '', namespace = '' } = object.metadata;
  const parts = { operation: 'CREATE', optionsKind: 'CreateOptions', namespace, name, oldObject: undefined } as const;
  const request = admissionRequest(resource, options, { ...parts, object });
  await context.admission.mutate(request, signal);
  object = request.object ?? object;
  def.setDefaults?.(object);
  def.prepare?.(object, undefined);
  checkObject(resource, object, undefined);
  await context.admission.validate(admissionRequest(resource, options, { ...parts, object }), signal);
  return storeNew(resource, object, options, signal);
}

async function storeNew(
  resource: ServedResource,
  object: Resource,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<Resource> {
  const { def, storage, conversion } = resource;
  const { name = '', namespace = '' } = object.metadata;
  if (storage === undefined) throw notFound(groupResourceOf(def), name);
  if (options.isDryRun) {
    const present = await storage.get(namespace, name, signal);
    if (present === undefined) return object;
    throw alreadyExists(storage.of, name);
  }
  const stored = await storage.create((await conversion?.toStored(object, signal)) ?? object, signal);
  return shownAfterWrite(resource, object, stored, signal);
}

/** What is answered to a write: what was given where it is stored so, else what can be read from now on. */
export async function shownAfterWrite(
  resource: ServedResource,
  object: Resource,
  stored: StoredObject,
  signal: AbortSignal,
): Promise<Resource> {
  if (resource.conversion !== undefined) return (await viewOne(resource, stored, signal)).object;
  return withMetadata(object, { resourceVersion: String(stored.revision) });
}

/** Throws Invalid when the kind's rules are broken. */
export function checkObject({ def }: ServedResource, object: Resource, old: Resource | undefined): void {
  refuseFaults(def, object, def.validate?.(object, old) ?? []);
}

/** Throws Invalid when there is any. */
export function refuseFaults(def: ServedResource['def'], object: Resource, faults: readonly FieldError[]): void {
  if (faults.length > 0) throw invalid(groupKindOf(def), object.metadata.name ?? '', causesOf(faults));
}
