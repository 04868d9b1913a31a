import { nowMs } from '#base/clock.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import type { Container } from '#engine/runtime/container.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { Filters, parseFilters } from '../http/filters.ts';
import type { Reply } from '../http/reply.ts';
import { json } from '../http/reply.ts';
import { isoToSeconds } from '../text/timestamp.ts';
import { containerFilter, containerFilterNames } from './container-filters.ts';
import { mountBody } from './container-inspect.ts';
import { containerSizes } from './container-sizes.ts';
import { containerStatus } from './container-status.ts';
import { endpointBodies, listedPorts } from './network-settings.ts';
import type { ApiVersion } from '../http/api-version.ts';
import { shownTo } from '../versions/shown-to.ts';

/** Measuring sizes walks directories: at most so many at once. */
const measuredAtOnce = 4;

export interface ListOptions {
  /** Stopped ones too. */
  readonly all: boolean;
  readonly size: boolean;
  readonly limit?: number;
  readonly filters?: Filters;
  readonly version: ApiVersion;
}

/** GET /containers/json. */
export async function listReply(context: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const filters = parseFilters(call.query, containerFilterNames);
  const limit = call.query.integer('limit') ?? 0;
  const all = call.query.flag('all') || filters.has('status') || limit > 0;
  const options = { all, size: call.query.flag('size'), filters, version: call.version, ...(limit > 0 && { limit }) };
  return json(await listContainers(context, options, signal));
}

/** Containers as list shows them, the newest first. */
export async function listContainers(
  context: Context,
  options: ListOptions,
  signal: AbortSignal,
): Promise<readonly object[]> {
  const { containers } = context.engine;
  const matches = containerFilter(context, options.filters ?? new Filters(new Map()));
  const found = containers
    .list()
    .filter((container) => (options.all || isUp(container)) && matches(container))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    .slice(0, options.limit);
  const limit = new ConcurrencyLimit(measuredAtOnce);
  const now = nowMs();
  return await Promise.all(
    found.map(async (container) => ({
      ...shownTo(options.version, 'listedContainer', summary(context, container, now)),
      ...(options.size && (await limit.run(() => containerSizes(context, container, signal)))),
    })),
  );
}

function isUp({ state }: Container): boolean {
  return state.status === 'running' || state.status === 'paused' || state.status === 'restarting';
}

function summary({ engine }: Context, container: Container, now: number): object {
  const { id, spec, state } = container;
  const stillNamed = engine.images.find(spec.imageName)?.id === spec.imageId;
  const { mode, shareWith = '', endpoints } = spec.network;
  const networkMode =
    mode === 'container' ? `container:${shareWith}` : mode === 'networks' ? endpoints[0]?.network : mode;
  return {
    Id: id,
    Names: [`/${container.name}`],
    Image: stillNamed ? spec.imageName : spec.imageId,
    ImageID: spec.imageId,
    Command: spec.args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg)).join(' '),
    Created: isoToSeconds(container.createdAt),
    Ports: listedPorts(container),
    Labels: spec.labels,
    State: state.status,
    Status: containerStatus(state, now),
    HostConfig: { NetworkMode: networkMode ?? 'bridge' },
    NetworkSettings: { Networks: endpointBodies(container, engine.networks) },
    Health: { Status: state.health?.status ?? 'none', FailingStreak: state.health?.failingStreak ?? 0 },
    Mounts: container.mounts.map(mountBody),
  };
}
