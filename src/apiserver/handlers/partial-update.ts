import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';

import type { Reply } from '../http/call.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import { updateObject, type Update } from '../writes/update-object.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { objectReply } from './object-replies.ts';
import { bodyPatch, patchedBy } from './patch.ts';
import { bodyObject, writeOptionsOf } from './write-call.ts';

/** Takes from a given object what a subresource may change, and nothing else. */
export type PartialUpdate = (current: Resource, given: Resource) => Resource;

type Fields = Readonly<Record<string, unknown>>;

const parts: Readonly<Record<string, PartialUpdate>> = {
  '/namespaces/finalize': (current, given) =>
    withSpec(current, { finalizers: fieldsOf(given['spec'])['finalizers'] ?? [] }),
  '/pods/ephemeralcontainers': (current, given) =>
    withSpec(current, { ephemeralContainers: listOf(fieldsOf(given['spec'])['ephemeralContainers']) }),
  '/pods/resize': (current, given) =>
    withSpec(current, {
      containers: resized(fieldsOf(current['spec'])['containers'], fieldsOf(given['spec'])['containers']),
    }),
  'certificates.k8s.io/certificatesigningrequests/approval': (current, given) => {
    const conditions = fieldsOf(given['status'])['conditions'];
    return { ...current, status: { ...fieldsOf(current['status']), conditions: conditions ?? [] } };
  },
};

export function partOf({ def }: ServedResource, subresource: string): PartialUpdate | undefined {
  return parts[`${def.group}/${def.plural}/${subresource}`];
}

/** PUT and PATCH of a subresource that is a part of its object. */
export async function changePart(
  context: ApiContext,
  { call, resource }: ResourceCall,
  part: PartialUpdate,
  signal: AbortSignal,
): Promise<Reply> {
  const { namespace, name, verb } = call.info;
  const given = verb === 'update' ? await bodyObject(call, resource) : undefined;
  const patch = verb === 'patch' ? await bodyPatch(call, resource) : undefined;
  const update: Update = {
    namespace,
    name,
    optionsKind: verb === 'patch' ? 'PatchOptions' : 'UpdateOptions',
    change: (current) => {
      if (given !== undefined) return pinned(part(current, given), given);
      const object = patch === undefined ? current : patchedBy(patch, call, resource, structuredClone(current));
      return pinned(part(current, object), object);
    },
  };
  const updated = await updateObject(context, resource, update, writeOptionsOf(call), signal);
  return objectReply(call, resource, updated, context.nowMs());
}

/** With the revision that the client saw, which is checked. */
function pinned(object: Resource, { metadata: { resourceVersion } }: Resource): Resource {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata: resourceVersion === undefined ? metadata : { ...metadata, resourceVersion } };
}

function withSpec(object: Resource, fields: Fields): Resource {
  return { ...object, spec: { ...fieldsOf(object['spec']), ...fields } };
}

/** Containers with the resources and resize policies that are given for them. */
function resized(before: unknown, given: unknown): readonly unknown[] {
  const wanted = new Map(listOf(given).map((one) => [fieldsOf(one)['name'], fieldsOf(one)]));
  return listOf(before).map((one) => {
    const resources = wanted.get(fieldsOf(one)['name'])?.['resources'];
    return resources === undefined ? one : { ...fieldsOf(one), resources };
  });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}
