import { notFound } from '#kube/status.ts';

import type { Reply } from '../http/call.ts';
import { isTrue } from '../http/request-info.ts';
import { groupResourceOf, viewOf, viewOne } from '../resources/served-resource.ts';
import { listObjects } from '../storage/list-objects.ts';
import { parseListOptions, parseRevision } from '../storage/list-options.ts';
import { selectionFor } from '../storage/selection.ts';
import { storageOf } from '../writes/update-object.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { listReply, storedReply } from './object-replies.ts';

export async function getObject(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const { namespace, name } = call.info;
  const storage = storageOf(resource, name);
  const revision = parseRevision(call.query.get('resourceVersion') ?? '');
  await (revision === undefined ? storage.fresh(signal) : storage.reach(revision, signal));
  const stored = storage.cache.get(storage.keyOf(namespace, name));
  if (stored === undefined) throw notFound(groupResourceOf(resource.def), name);
  return storedReply(call, resource, await viewOne(resource, stored, signal), context.nowMs());
}

export async function listResource(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const storage = storageOf(resource, '');
  const options = parseListOptions(call.query, isTrue(call.query.get('watch')));
  const selection = selectionFor(options.labelSelector, options.fieldSelector, resource.def);
  const { namespace } = call.info;
  const page = await listObjects({ storage, view: viewOf(resource), namespace, options, selection }, signal);
  return listReply(call, resource, page, context.nowMs());
}
