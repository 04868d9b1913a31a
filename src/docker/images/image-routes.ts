import type { Image, RemovedImage } from '#engine/images/images.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { parseFilters } from '../http/filters.ts';
import type { Reply } from '../http/reply.ts';
import { empty, json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { importReply, loadReply, saveReply, targetReference } from './archive-transfer.ts';
import { historyReply, inspectReply } from './image-inspect.ts';
import { imageFilter, listReply } from './image-list.ts';
import { platformOf } from './platform.ts';
import { distributionReply, searchReply } from './registry-replies.ts';
import { pullReply, pushReply } from './transfer.ts';

export function imageRoutes(context: Context): readonly Route[] {
  const { images } = context.engine;
  return [
    { method: 'GET', path: '/images/json', handle: (call) => listReply(context, call) },
    { method: 'GET', path: '/images/search', handle: (call, signal) => searchReply(context, call, signal) },
    { method: 'GET', path: '/images/get', handle: (call) => saveReply(context, call, call.query.texts('names')) },
    { method: 'POST', path: '/images/load', handle: (call) => loadReply(context, call) },
    { method: 'POST', path: '/images/prune', handle: (call, signal) => prune(context, call, signal) },
    {
      method: 'POST',
      path: '/images/create',
      handle: (call) => (call.query.text('fromImage') === '' ? importReply(context, call) : pullReply(context, call)),
    },
    { method: 'GET', path: '/images/{name*}/json', handle: (call) => inspectReply(context, call) },
    { method: 'GET', path: '/images/{name*}/history', handle: (call) => historyReply(context, call) },
    { method: 'GET', path: '/images/{name*}/get', handle: (call) => saveReply(context, call, [nameOf(call)]) },
    { method: 'POST', path: '/images/{name*}/push', handle: (call) => pushReply(context, call) },
    {
      method: 'POST',
      path: '/images/{name*}/tag',
      handle: async (call) => {
        await images.tag(nameOf(call), targetReference(call.query.text('repo'), call.query.text('tag')));
        return empty(201);
      },
    },
    {
      method: 'DELETE',
      path: '/images/{name*}',
      handle: async (call, signal) => {
        const platforms = call.query.texts('platforms').flatMap((text) => platformOf(text) ?? []);
        const options = {
          force: call.query.flag('force'),
          prune: !call.query.flag('noprune'),
          ...(platforms.length > 0 && { platforms }),
        };
        return json((await images.remove(nameOf(call), options, signal)).map(removedBody));
      },
    },
    {
      method: 'GET',
      path: '/distribution/{name*}/json',
      handle: (call, signal) => distributionReply(context, call, signal),
    },
  ];
}

async function prune({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const filters = parseFilters(call.query, ['dangling', 'label', 'label!', 'until']);
  const passes = imageFilter(engine, filters);
  const only = (image: Image): boolean => filters.prunable(image.config.config?.Labels ?? {}) && passes(image);
  const danglingOnly = filters.flag('dangling') ?? true;
  const { removed, freedBytes } = await engine.images.prune({ danglingOnly, only }, signal);
  return json({ ImagesDeleted: removed.map(removedBody), SpaceReclaimed: freedBytes });
}

function removedBody({ untagged, deleted }: RemovedImage): object {
  return untagged === undefined ? { Deleted: deleted } : { Untagged: untagged };
}

function nameOf(call: Call): string {
  return call.params['name'] ?? '';
}
