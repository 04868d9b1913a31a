import { StatusError } from '#base/errors.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { json } from '../http/reply.ts';
import { platformOf } from '../images/platform.ts';
import { containerSpec } from '../translate/container-spec.ts';
import { createRequest } from '../translate/create-request.ts';
import { asAskedBy } from '../versions/as-asked-by.ts';
import { worldOf } from './world-of.ts';

/** POST /containers/create. A missing image is NotFound, on which clients pull and try again. */
export async function createReply({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const request = asAskedBy(call.version, await call.body.json(createRequest));
  const imageName = request.Image ?? '';
  if (imageName === '') throw new StatusError('InvalidArgument', 'no image specified: set Image');
  const image = engine.images.get(imageName, platformOf(call.query.text('platform')));
  const { spec, warnings } = containerSpec(request, worldOf(engine, image));
  const name = call.query.text('name').replace(/^\//, '');
  const container = await engine.containers.create(name === '' ? undefined : name, spec, signal);
  return json({ Id: container.id, Warnings: warnings }, 201);
}
