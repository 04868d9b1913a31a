import { StatusError } from '#base/errors.ts';

import type { Reply } from '../http/call.ts';
import { bindPod } from './binding.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { objectReply } from './object-replies.ts';
import { checkObject } from '../writes/create-object.ts';
import { bodyObject, writeOptionsOf } from './write-call.ts';

/** Answers an object that is a question and is not kept: access reviews, token reviews, bindings. */
export async function respondToReview(context: ApiContext, target: ResourceCall, signal: AbortSignal): Promise<Reply> {
  const { call, resource } = target;
  const { group, kind } = resource.def;
  if (group === '' && kind === 'Binding') return bindPod(context, target, signal);
  const object = await bodyObject(call, resource);
  resource.def.setDefaults?.(object);
  if ((object.metadata.name ?? '') !== '') checkObject(resource, object, undefined);
  const { namespace } = call.info;
  const { user } = writeOptionsOf(call);
  const answer = await context.auth.review(object, namespace, user, signal);
  if (answer === undefined)
    throw new StatusError('NotSupported', `Cannot answer a ${kind}: this server does not do that yet`);
  return objectReply(call, resource, answer, context.nowMs(), 201);
}
