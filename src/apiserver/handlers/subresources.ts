import { notFound } from '#kube/status.ts';

import type { Reply } from '../http/call.ts';
import { groupResourceOf } from '../resources/served-resource.ts';
import { storageOf } from '../writes/update-object.ts';
import { bindPod } from './binding.ts';
import { connectToPod, passRequest, sendLog } from './connect.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { replaceResource } from './create.ts';
import { evictPod } from './eviction.ts';
import { changePart, partOf } from './partial-update.ts';
import { patchResource } from './patch.ts';
import { getObject } from './read.ts';
import { respondToPart } from './parts.ts';
import { notAllowed, unknownPath } from './refusals.ts';
import { respondToScale } from './scale.ts';

type Handler = (context: ApiContext, target: ResourceCall, signal: AbortSignal) => Promise<Reply>;

/** Subresources that are dealt with by their name; all others are parts of the object, or belong to somebody else. */
const handlers: Readonly<Record<string, Handler>> = {
  'pods/binding': bindPod,
  'pods/eviction': evictPod,
  'pods/log': sendLog,
  'pods/exec': connectToPod,
  'pods/attach': connectToPod,
  'pods/portforward': connectToPod,
  'pods/proxy': passRequest,
  'services/proxy': passRequest,
  'nodes/proxy': passRequest,
};

export async function respondToSubresource(
  context: ApiContext,
  target: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const { call, resource } = target;
  const { subresource, verb, name } = call.info;
  const found = resource.def.subresources.find((one) => one.name === subresource);
  if (found === undefined) return unknownPath();
  const key = `${resource.def.plural}/${subresource}`;
  const handler = resource.def.group === '' ? handlers[key] : undefined;
  if (handler !== undefined) return handler(context, target, signal);
  if (!found.verbs.some((one) => one === verb)) throw notAllowed();
  if (subresource === 'scale') return respondToScale(context, target, signal);
  if (verb === 'create') return respondToPart(context, target, found, signal);
  const stored = await storageOf(resource, name).get(call.info.namespace, name, signal);
  if (stored === undefined) throw notFound(groupResourceOf(resource.def), name);
  if (verb === 'get') return getObject(context, target, signal);
  const part = partOf(resource, subresource);
  if (part !== undefined) return changePart(context, target, part, signal);
  return verb === 'patch' ? patchResource(context, target, signal) : replaceResource(context, target, signal);
}
