import { isObject } from '#base/json.ts';
import { checkApplied } from '#kube/apply/apply-patch.ts';
import { decodePlain } from '#kube/codec/decode-body.ts';
import { givenFields } from '#kube/codec/given-fields.ts';
import { goText } from '#kube/patch/go-text.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import type { Tree } from '#kube/patch/json-tree.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { restoreError } from '#kube/patch/restore-error.ts';
import { applyStrategicMergePatch } from '#kube/patch/strategic-merge-patch.ts';
import type { Resource } from '#kube/resource.ts';
import type { StructSchema } from '#kube/schema.ts';
import { ApiError, badRequest, invalid } from '#kube/status.ts';

import type { Call, Reply } from '../http/call.ts';
import { isTrue, type ResourceRequest } from '../http/request-info.ts';
import { apiVersionOf, type ServedResource } from '../resources/served-resource.ts';
import { createObject } from '../writes/create-object.ts';
import { updateObject, type Update } from '../writes/update-object.ts';
import type { ApplyOptions } from '../writes/write-options.ts';
import { asResource, type ApiContext, type ResourceCall } from './context.ts';
import { requireCreate } from './may-create.ts';
import { objectReply } from './object-replies.ts';
import { contentTypeOf, decoded, patchedObject, pruned, writeOptionsOf } from './write-call.ts';

export const applyType = 'application/apply-patch+yaml';
const strategicType = 'application/strategic-merge-patch+json';
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', applyType, strategicType];

/** A patch of a request. */
export interface Patch {
  apply(object: Tree, schema: StructSchema): Tree;
  /** The value that is shown when the result does not fit its kind, and in whose words: upstream's two ways differ. */
  misfit(patched: Tree, schema: StructSchema, why: string): ApiError;
}

export async function patchResource(context: ApiContext, target: ResourceCall, signal: AbortSignal): Promise<Reply> {
  const { call, resource } = target;
  if (contentTypeOf(call) === applyType) return applyResource(context, target, signal);
  const patch = await bodyPatch(call, resource);
  const { namespace, name } = call.info;
  const update: Update = {
    namespace,
    name,
    optionsKind: 'PatchOptions',
    change: (current) => unmoved(patchedBy(patch, call, resource, current), current, resource),
  };
  const updated = await updateObject(context, resource, update, writeOptionsOf(call), signal);
  return objectReply(call, resource, updated, context.nowMs());
}

/** Throws BadRequest when a patch makes another object or kind of an object. */
function unmoved(patched: Resource, current: Resource, { def }: ServedResource): Resource {
  if (patched.apiVersion !== current.apiVersion || patched.kind !== current.kind)
    throw badRequest(
      `the API version in the data (${patched.apiVersion}) does not match the expected API version (${apiVersionOf(def)})`,
    );
  const { name = '', namespace = '' } = current.metadata;
  if (patched.metadata.name !== name)
    throw badRequest(
      `the name of the object (${patched.metadata.name ?? ''}) does not match the name on the URL (${name})`,
    );
  if ((patched.metadata.namespace ?? '') !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return patched;
}

/** Throws BadRequest, UnsupportedMediaType, and Invalid for options that only apply has. */
export async function bodyPatch(call: Call<ResourceRequest>, { def }: ServedResource): Promise<Patch> {
  const type = contentTypeOf(call);
  if (!patchTypes.includes(type) || (type === strategicType && def.schema.name === ''))
    throw unsupported(def.schema.name === '');
  if (call.query.has('force'))
    throw invalidOption('force', 'FieldValueForbidden', 'Forbidden: may not be specified for non-apply patch');
  const patch = parsePatch(await call.readBody());
  if (type === strategicType)
    return {
      apply: (object, schema) => applyStrategicMergePatch(object, patch, schema),
      misfit: (patched, schema, why) => invalidPatch(goText(patch), restoreError(patched, schema) ?? why),
    };
  const apply = type === 'application/json-patch+json' ? applyJsonPatch : applyMergePatch;
  return {
    apply: (object) => apply(object, patch),
    misfit: (patched, _schema, why) => invalidPatch(JSON.stringify(patched), why),
  };
}

/** The object after the patch. Throws Invalid when it is none of its kind any more. */
export function patchedBy(patch: Patch, call: Call, resource: ServedResource, current: Resource): Resource {
  const { schema } = resource.def;
  const patched = patch.apply(current, schema);
  return patchedObject(call, resource, patched, (why) => patch.misfit(patched, schema, why));
}

function invalidPatch(value: string, why: string): ApiError {
  const message = `Invalid value: ${JSON.stringify(value)}: ${why}`;
  return invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', message, field: 'patch' }]);
}

/** Server-side apply: the object is made when it is not there. */
async function applyResource(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const { namespace, name, subresource } = call.info;
  const applied = await appliedObject(call, resource);
  const by = applierOf(call);
  const apply = async (live: Resource | undefined): Promise<Resource> =>
    patchedObject(call, resource, { ...(await context.fields.apply(resource, live, applied, by, signal)) }, badRequest);
  const options = { ...writeOptionsOf(call), isApply: true };
  const update: Update = {
    namespace,
    name,
    optionsKind: 'PatchOptions',
    change: async (current) => await apply(current),
  };
  try {
    const updated = await updateObject(context, resource, update, options, signal);
    return await objectReply(call, resource, updated, context.nowMs());
  } catch (error) {
    const isMissing = error instanceof ApiError && error.statusReason === 'NotFound' && subresource === '';
    if (!isMissing || (applied.metadata.uid ?? '') !== '') throw error;
  }
  requireCreate(context, call);
  const made = await apply(undefined);
  const created = await createObject(context, resource, made, options, signal);
  return objectReply(call, resource, created, context.nowMs(), 201);
}

/** Who applies, and whether he takes fields from others. Throws Invalid without a name. */
export function applierOf({ query, info: { subresource } }: Call<ResourceRequest>): ApplyOptions {
  const manager = query.get('fieldManager') ?? '';
  if (manager === '')
    throw invalidOption('fieldManager', 'FieldValueRequired', 'Required value: is required for apply patch');
  return { manager, subresource, force: isTrue(query.get('force')) };
}

async function appliedObject(call: Call<ResourceRequest>, resource: ServedResource): Promise<Resource> {
  const { def } = resource;
  const { namespace, name } = call.info;
  const body = await call.readBody();
  const value = appliedValue(call, body, resource);
  const plain = decodePlain(body, 'yaml');
  const object = asResource(givenFields(value, { kind: '', apiVersion: '', ...(isObject(plain) ? plain : {}) }));
  if (object.apiVersion !== apiVersionOf(def) || object.kind !== def.kind)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${object.apiVersion}, expected: ${apiVersionOf(def)}`,
    );
  const own = object.metadata.name ?? name;
  if (own !== name) throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  const metadata = { ...object.metadata, name, ...(def.scope === 'Namespaced' ? { namespace } : {}) };
  if ((object.metadata.namespace ?? namespace) !== namespace && def.scope === 'Namespaced')
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return { ...object, metadata };
}

/**
 * What is applied, read as its kind. What the kind does not have is refused by the path, whatever the field validation
 * is; whether something is there twice is a matter of that.
 */
function appliedValue(call: Call, body: Buffer, { def, custom }: ServedResource): Tree {
  const checkPaths = (): void => {
    const plain = decodePlain(body, 'yaml');
    if (isObject(plain)) checkApplied(asResource(plain), { version: apiVersionOf(def), schema: def.schema });
  };
  const misfit = (why: string): ApiError => {
    checkPaths();
    return badRequest(`error strict decoding YAML: ${why}`);
  };
  const value = decoded(call, body, 'application/yaml', def.schema, def, misfit);
  const mayHaveLost = call.warnings.size > 0 || call.query.get('fieldValidation') === 'Ignore';
  if (custom === undefined && mayHaveLost) checkPaths();
  pruned(call, custom, value, badRequest);
  return value;
}

function parsePatch(body: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : 'no JSON'}`, error);
  }
  if (!isObject(value) && !Array.isArray(value)) throw badRequest('error decoding patch: neither an object nor a list');
  return value;
}

function unsupported(isCustom: boolean): ApiError {
  const types = patchTypes.filter((type) => !isCustom || type !== strategicType).join(', ');
  return new ApiError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types}`,
  );
}

function invalidOption(field: string, reason: string, message: string): ApiError {
  return invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [{ reason, message, field }]);
}
