import { StatusError } from '#base/errors.ts';
import type { RemovedImage } from '#engine/images/images.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Filters } from '../http/filters.ts';
import { parseFilters } from '../http/filters.ts';
import type { Reply } from '../http/reply.ts';
import { empty, json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { importReply, loadReply, saveReply, targetReference } from './archive-transfer.ts';
import { historyReply, inspectReply } from './image-inspect.ts';
import { imageFilter, listReply } from './image-list.ts';
import { pullReply, pushReply } from './transfer.ts';

export function imageRoutes(context: Context): readonly Route[] {
  const { images } = context.engine;
  return [
    { method: 'GET', path: '/images/json', handle: (call) => listReply(context, call) },
    { method: 'GET', path: '/images/search', handle: refuseSearch },
    { method: 'GET', path: '/images/get', handle: (call) => saveReply(context, call.query.texts('names')) },
    { method: 'POST', path: '/images/load', handle: (call) => loadReply(context, call) },
    { method: 'POST', path: '/images/prune', handle: (call, signal) => prune(context, call, signal) },
    {
      method: 'POST',
      path: '/images/create',
      handle: (call) => (call.query.text('fromImage') === '' ? importReply(context, call) : pullReply(context, call)),
    },
    { method: 'GET', path: '/images/{name*}/json', handle: (call) => inspectReply(context, call) },
    { method: 'GET', path: '/images/{name*}/history', handle: (call) => historyReply(context, call) },
    { method: 'GET', path: '/images/{name*}/get', handle: (call) => saveReply(context, [nameOf(call)]) },
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
        const options = { force: call.query.flag('force'), prune: !call.query.flag('noprune') };
        return json((await images.remove(nameOf(call), options, signal)).map(removedBody));
      },
    },
    { method: 'GET', path: '/distribution/{name*}/json', handle: refuseDistribution },
  ];
}

async function prune({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const filters = parseFilters(call.query, ['dangling', 'label', 'label!', 'until']);
  const danglingOnly = filters.flag('dangling') ?? true;
  const narrowed = ['label', 'label!', 'until'].some((name) => filters.has(name));
  const { removed, freedBytes } = narrowed
    ? await pruneMatching(engine, filters, danglingOnly, signal)
    : await engine.images.prune({ danglingOnly }, signal);
  return json({ ImagesDeleted: removed.map(removedBody), SpaceReclaimed: freedBytes });
}

async function pruneMatching(
  engine: Context['engine'],
  filters: Filters,
  danglingOnly: boolean,
  signal: AbortSignal,
): Promise<{ readonly removed: readonly RemovedImage[]; readonly freedBytes: number }> {
  const { images, containers } = engine;
  const used = new Set(containers.list().map(({ spec }) => spec.imageId));
  const passes = imageFilter(engine, filters);
  const removed: RemovedImage[] = [];
  let freedBytes = 0;
  for (const image of images.list()) {
    const wanted = (!danglingOnly || image.tags.length === 0) && filters.prunable(image.config.config?.Labels ?? {});
    if (used.has(image.id) || !wanted || !passes(image)) continue;
    for (const name of image.tags.length === 0 ? [image.id] : image.tags) {
      removed.push(...(await images.remove(name, { force: false, prune: true }, signal)));
    }
    freedBytes += image.sizeBytes;
  }
  return { removed, freedBytes };
}

function removedBody({ untagged, deleted }: RemovedImage): object {
  return untagged === undefined ? { Deleted: deleted } : { Untagged: untagged };
}

function refuseSearch(): never {
  throw new StatusError('NotSupported', 'Cannot search: registries have no common way to; look on their web pages');
}

function refuseDistribution(): never {
  throw new StatusError('NotSupported', 'Cannot look up an image in its registry without pulling it; pull it');
}

function nameOf(call: Call): string {
  return call.params['name'] ?? '';
}
