import type { Call, Reply } from '../http/call.ts';
import { isCollection, type ResourceRequest } from '../http/request-info.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { createResource, replaceResource } from './create.ts';
import { deleteCollection, deleteResource } from './delete.ts';
import { patchResource } from './patch.ts';
import { getObject, listResource } from './read.ts';
import { notAllowed, unknownPath } from './refusals.ts';
import { respondToReview } from './reviews.ts';
import { respondToSubresource } from './subresources.ts';
import { watchResource } from './watch.ts';

type Handler = (context: ApiContext, target: ResourceCall, signal: AbortSignal) => Promise<Reply> | Reply;

const handlers: Readonly<Record<string, Handler>> = {
  get: getObject,
  list: listResource,
  watch: (context, target) => watchResource(context, target),
  create: createResource,
  update: replaceResource,
  patch: patchResource,
  delete: deleteResource,
  deletecollection: deleteCollection,
};

/** Warnings that every request for objects of the core group gets, in upstream's words. */
const deprecations: Readonly<Record<string, string>> = {
  componentstatuses: 'v1 ComponentStatus is deprecated in v1.19+',
  endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};

/** Answers a request for objects. Throws ApiError. */
export async function respondToResource(
  context: ApiContext,
  call: Call<ResourceRequest>,
  signal: AbortSignal,
): Promise<Reply> {
  const { group, version, resource: plural, subresource, namespace } = call.info;
  const resource = context.resources.find(group, version, plural);
  if (resource === undefined || (namespace !== '' && resource.def.scope === 'Cluster' && plural !== 'namespaces'))
    return unknownPath();
  const deprecation = group === '' ? deprecations[plural] : undefined;
  if (deprecation !== undefined) call.warnings.add(deprecation);
  // A name that a selector gave is for authorization alone.
  const info = isCollection(call.info) ? { ...call.info, name: '' } : call.info;
  const target = { call: { ...call, info }, resource };
  if (subresource !== '') return respondToSubresource(context, target, signal);
  const { verbs } = resource.def;
  // What is named is not created, and without a name nothing is changed.
  const isPath = (info.name === '') === ['list', 'watch', 'create', 'deletecollection'].includes(info.verb);
  const handler = isPath && verbs.some((verb) => verb === info.verb) ? handlers[info.verb] : undefined;
  if (handler === undefined) throw notAllowed();
  const isKept = resource.storage !== undefined;
  return isKept ? handler(context, target, signal) : respondToReview(context, target, signal);
}
