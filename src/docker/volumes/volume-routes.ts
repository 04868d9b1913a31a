import { StatusError } from '#base/errors.ts';
import type { Volume, Volumes } from '#engine/volumes/volumes.ts';

import type { Context } from '../context.ts';
import { speaks } from '../http/api-version.ts';
import type { Call } from '../http/call.ts';
import { anything, mapOf, objectOf, text } from '../http/decode.ts';
import type { Filters } from '../http/filters.ts';
import { parseFilters } from '../http/filters.ts';
import { empty, json } from '../http/reply.ts';
import type { Reply } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { volumeBody } from './volume-body.ts';

const createRequest = objectOf({
  Name: text,
  Driver: text,
  DriverOpts: mapOf(text, ''),
  Labels: mapOf(text, ''),
  ClusterVolumeSpec: anything,
});

export function volumeRoutes({ engine }: Context): readonly Route[] {
  const { volumes } = engine;
  return [
    { method: 'GET', path: '/volumes', handle: (call) => list(volumes, call) },
    { method: 'POST', path: '/volumes/create', handle: (call) => create(volumes, call) },
    { method: 'POST', path: '/volumes/prune', handle: (call, signal) => prune(volumes, call, signal) },
    { method: 'GET', path: '/volumes/{name}', handle: (call) => inspect(volumes, nameOf(call)) },
    {
      method: 'DELETE',
      path: '/volumes/{name}',
      handle: async (call) => {
        await volumes.remove(nameOf(call), call.query.flag('force'));
        return empty(204);
      },
    },
  ];
}

function inspect(volumes: Volumes, name: string): Reply {
  return json(volumeBody(volumes.get(name), volumes.status(name)));
}

function list(volumes: Volumes, call: Call): Reply {
  const filters = parseFilters(call.query, ['dangling', 'driver', 'label', 'name']);
  const dangling = filters.flag('dangling');
  const matches = (volume: Volume): boolean =>
    filters.any('name', (wanted) => volume.name.includes(wanted)) &&
    filters.equals('driver', 'local') &&
    filters.labels('label', volume.labels) &&
    (dangling === undefined || dangling === (volumes.holders(volume.name).length === 0));
  return json({
    Volumes: volumes
      .list()
      .filter(matches)
      .map((volume) => volumeBody(volume)),
    Warnings: null,
  });
}

async function create(volumes: Volumes, call: Call): Promise<Reply> {
  const request = await call.body.json(createRequest);
  if (request.ClusterVolumeSpec !== undefined) {
    throw new StatusError('NotSupported', 'Cannot create a cluster volume: there is no swarm; leave the option away');
  }
  const volume = await volumes.create({
    ...((request.Name ?? '') !== '' && { name: request.Name }),
    ...((request.Driver ?? '') !== '' && { driver: request.Driver }),
    ...(request.Labels !== undefined && { labels: request.Labels }),
    ...(request.DriverOpts !== undefined && { options: request.DriverOpts }),
  });
  return json(volumeBody(volume), 201);
}

/** Since API 1.42 only anonymous volumes, unless the filter `all` says otherwise. */
async function prune(volumes: Volumes, call: Call, signal: AbortSignal): Promise<Reply> {
  const filters = parseFilters(call.query, ['all', 'label', 'label!']);
  const all = filters.flag('all') ?? !speaks(call.version, 42);
  if (!filters.has('label') && !filters.has('label!')) {
    const { removed, freedBytes } = await volumes.prune(all);
    return json({ VolumesDeleted: removed, SpaceReclaimed: freedBytes });
  }
  return json(await pruneMatching(volumes, filters, all, signal));
}

async function pruneMatching(volumes: Volumes, filters: Filters, all: boolean, signal: AbortSignal): Promise<object> {
  const removed: string[] = [];
  let freedBytes = 0;
  for (const volume of volumes.list()) {
    const unused = volumes.holders(volume.name).length === 0;
    if (!unused || !(all || volume.anonymous) || !filters.prunable(volume.labels)) continue;
    const sizeBytes = await volumes.sizeBytes(volume.name, signal);
    await volumes.remove(volume.name, false);
    removed.push(volume.name);
    freedBytes += sizeBytes;
  }
  return { VolumesDeleted: removed, SpaceReclaimed: freedBytes };
}

function nameOf(call: Call): string {
  return call.params['name'] ?? '';
}
