import { copyJson } from '#kube/patch/json-tree.ts';
import type { Resource } from '#kube/resource.ts';
import { badRequest, type Status } from '#kube/status.ts';

import { jsonReply, type Reply } from '../http/call.ts';
import { createObject } from '../writes/create-object.ts';
import { updateObject } from '../writes/update-object.ts';
import type { ApiContext, ResourceCall } from './context.ts';
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
  const updated = await updateObject(context, resource, update, options, signal);
  return objectReply(call, resource, updated, context.nowMs());
}

/** The answer to what was done and leaves no object to show. */
export function successReply(details: NonNullable<Status['details']>, code = 200): Reply {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
  return jsonReply(code === 200 ? status : { ...status, code }, code);
}
