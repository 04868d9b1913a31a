import { StatusError } from '#base/errors.ts';
import type { Subresource } from '#kube/kind.ts';
import { notFound } from '#kube/status.ts';

import { jsonReply, type Reply } from '../http/call.ts';
import { groupResourceOf } from '../resources/served-resource.ts';
import { storageOf } from '../writes/update-object.ts';
import { admitPart } from './admit-part.ts';
import { asResource, type ApiContext, type ResourceCall } from './context.ts';
import { bodyOf } from './write-call.ts';

/** A create of a subresource that another part of the server answers, such as the token of a service account. */
export async function respondToPart(
  context: ApiContext,
  { call, resource }: ResourceCall,
  { name: part, body: bodyKind }: Subresource,
  signal: AbortSignal,
): Promise<Reply> {
  const { def } = resource;
  const { namespace, name } = call.info;
  if (def.group !== '' || def.plural !== 'serviceaccounts' || part !== 'token' || bodyKind === undefined)
    throw new StatusError('NotSupported', `Cannot create ${def.plural}/${part}: this server does not do that yet`);
  const sent = await bodyOf(call, bodyKind);
  const body = asResource({ ...sent, kind: bodyKind.kind, apiVersion: `${bodyKind.group}/${bodyKind.version}` });
  const stored = await storageOf(resource, name).get(namespace, name, signal);
  if (stored === undefined) throw notFound(groupResourceOf(def), name);
  const request = await admitPart(context, call, resource, body, signal);
  return jsonReply(await context.auth.createToken({ namespace, name }, request, signal), 201);
}
