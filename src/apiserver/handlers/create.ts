import { copyJson } from '#kube/patch/json-tree.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError, badRequest, conflict, type Status } from '#kube/status.ts';

import { jsonReply, type Reply } from '../http/call.ts';
import { groupResourceOf } from '../resources/served-resource.ts';
import { createObject } from '../writes/create-object.ts';
import { updateObject } from '../writes/update-object.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { requireCreate } from './may-create.ts';
import { objectReply } from './object-replies.ts';
import { bodyObject, writeOptionsOf } from './write-call.ts';

export async function createResource(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const options = writeOptionsOf(call);
  const object = await bodyObject(call, resource);
  if (resource.def.scope === 'Namespaced' && call.info.namespace === '')
    throw badRequest('an empty namespace may not be set during creation');
  const created = await createObject(context, resource, object, options, signal);
  return objectReply(call, resource, created, context.nowMs(), 201);
}

export async function replaceResource(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const { namespace, name } = call.info;
  const options = writeOptionsOf(call);
  const object = await bodyObject(call, resource);
  const own = object.metadata.name ?? '';
  if (own === '') throw badRequest('name must be provided');
  if (own !== name) throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  const update = { namespace, name, change: () => copyJson(object) as Resource, optionsKind: 'UpdateOptions' } as const;
  try {
    const updated = await updateObject(context, resource, update, options, signal);
    return await objectReply(call, resource, updated, context.nowMs());
  } catch (error) {
    const { createsOnUpdate } = resource.def;
    const isMissing = error instanceof ApiError && error.statusReason === 'NotFound';
    if (!isMissing || !createsOnUpdate || call.info.subresource !== '') throw error;
  }
  const { resourceVersion: _, uid = '', ...metadata } = object.metadata;
  if (uid !== '')
    throw conflict(
      groupResourceOf(resource.def),
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: `,
    );
  requireCreate(context, call);
  const created = await createObject(context, resource, { ...object, metadata }, options, signal);
  return objectReply(call, resource, created, context.nowMs(), 201);
}

/** The answer to what was done and leaves no object to show. */
export function successReply(details: NonNullable<Status['details']>, code = 200): Reply {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
  return jsonReply(code === 200 ? status : { ...status, code }, code);
}
