import { StatusError } from '#base/errors.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import type { Image } from '#engine/images/images.ts';

import { cacheEntryBody } from '../build/cache-entry-body.ts';
import { listContainers } from '../containers/container-list.ts';
import type { Context } from '../context.ts';
import { speaks } from '../http/api-version.ts';
import type { Call } from '../http/call.ts';
import { imageSummary } from '../images/image-summary.ts';
import { shownTo } from '../versions/shown-to.ts';
import { volumeBody } from '../volumes/volume-body.ts';

const measuredAtOnce = 4;
const types = ['container', 'image', 'volume', 'build-cache'] as const;
type UsageType = (typeof types)[number];

/** One kind of things: all of them, and what they take together. Sizes in bytes. */
interface Usage {
  readonly items: readonly object[];
  readonly active: number;
  readonly totalBytes: number;
  readonly reclaimableBytes: number;
}

/** Names of one kind in the answer: the list alone as it was before 1.52, and the usage. */
const names: Readonly<Record<UsageType, { readonly list: string; readonly usage: string; readonly count: string }>> = {
  image: { list: 'Images', usage: 'ImageUsage', count: 'Images' },
  container: { list: 'Containers', usage: 'ContainerUsage', count: 'Containers' },
  volume: { list: 'Volumes', usage: 'VolumeUsage', count: 'Volumes' },
  'build-cache': { list: 'BuildCache', usage: 'BuildCacheUsage', count: 'BuildCacheRecords' },
};

/** GET /system/df: what takes how much, of the types asked for. */
export async function diskUsage(context: Context, call: Call, signal: AbortSignal): Promise<object> {
  const wanted = typesOf(call);
  const measured: Readonly<Record<UsageType, () => Promise<Usage>>> = {
    image: async () => imageUsage(context, call),
    container: () => containerUsage(context, call, signal),
    volume: () => volumeUsage(context, signal),
    'build-cache': () => cacheUsage(context, signal),
  };
  // Since 1.52 the lists are within the usage, and only when they are asked for; 1.52 still has both forms.
  const asked = speaks(call.version, 52) && call.query.has('verbose');
  const showsLists = !asked && !speaks(call.version, 53);
  const verbose = call.query.flag('verbose');
  const body: Record<string, unknown> = {};
  for (const type of types) {
    const usage = wanted.includes(type) ? await measured[type]() : undefined;
    const { list, usage: name } = names[type];
    if (showsLists) body[list] = usage?.items ?? null;
    if (showsLists && type === 'image') body['LayersSize'] = usage?.totalBytes ?? 0;
    if (speaks(call.version, 52) && usage !== undefined) body[name] = usageBody(type, usage, asked && verbose);
  }
  return body;
}

function typesOf(call: Call): readonly UsageType[] {
  const asked = speaks(call.version, 42) ? call.query.texts('type') : [];
  const unknown = asked.find((type) => !types.some((known) => known === type));
  if (unknown !== undefined) throw new StatusError('InvalidArgument', `unknown object type: ${unknown}`);
  return asked.length === 0 ? types : types.filter((type) => asked.includes(type));
}

function usageBody(type: UsageType, usage: Usage, verbose: boolean): object {
  const { count } = names[type];
  return {
    [`Active${count}`]: usage.active,
    [`Total${count}`]: usage.items.length,
    Reclaimable: usage.reclaimableBytes,
    TotalSize: usage.totalBytes,
    ...(verbose && { Items: usage.items }),
  };
}

function imageUsage({ engine }: Context, call: Call): Usage {
  const [images, containers] = [engine.images.list(), engine.containers.list()];
  const used = new Set(containers.map(({ spec }) => spec.imageId));
  const kept = layersOf(
    engine,
    images.filter(({ id }) => used.has(id)),
  );
  const layers = engine.snapshots.layers();
  const bytes = (some: typeof layers): number => some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    items: images.map((image) => shownTo(call.version, 'measuredImage', imageSummary(image, containers, 0))),
    active: images.filter(({ id }) => used.has(id)).length,
    totalBytes: bytes(layers),
    reclaimableBytes: bytes(layers.filter(({ chainId }) => !kept.has(chainId))),
  };
}

/** Layers of these images, once each. */
function layersOf({ snapshots }: Context['engine'], images: readonly Image[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { topLayer } of images) {
    for (let id = topLayer; id !== undefined && !ids.has(id); id = snapshots.layer(id)?.parent) ids.add(id);
  }
  return ids;
}

async function containerUsage(context: Context, call: Call, signal: AbortSignal): Promise<Usage> {
  const items = await listContainers(context, { all: true, size: true, version: call.version }, signal);
  const written = items.map((item) => ({
    bytes: 'SizeRw' in item ? Number(item.SizeRw) : 0,
    isUp: 'State' in item && ['running', 'paused', 'restarting'].includes(String(item.State)),
  }));
  const bytes = (some: typeof written): number => some.reduce((sum, one) => sum + one.bytes, 0);
  return {
    items,
    active: written.filter(({ isUp }) => isUp).length,
    totalBytes: bytes(written),
    reclaimableBytes: bytes(written.filter(({ isUp }) => !isUp)),
  };
}

async function volumeUsage({ engine: { volumes } }: Context, signal: AbortSignal): Promise<Usage> {
  const limit = new ConcurrencyLimit(measuredAtOnce);
  const measured = await Promise.all(
    volumes.list().map((volume) =>
      limit.run(async () => {
        const Size = await volumes.sizeBytes(volume.name, signal);
        const RefCount = volumes.holders(volume.name).length;
        return { body: { ...volumeBody(volume), UsageData: { Size, RefCount } }, Size, RefCount };
      }),
    ),
  );
  const bytes = (some: typeof measured): number => some.reduce((sum, { Size }) => sum + Size, 0);
  return {
    items: measured.map(({ body }) => body),
    active: measured.filter(({ RefCount }) => RefCount > 0).length,
    totalBytes: bytes(measured),
    reclaimableBytes: bytes(measured.filter(({ RefCount }) => RefCount === 0)),
  };
}

/** What images have as well counts for them; all the rest can go, but for what a build uses now. */
async function cacheUsage({ engine }: Context, signal: AbortSignal): Promise<Usage> {
  const entries = await engine.builder.cacheEntries(signal);
  const own = entries.filter(({ shared }) => !shared);
  const sum = (of: typeof own): number => of.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
  return {
    items: entries.map(cacheEntryBody),
    active: entries.filter(({ inUse }) => inUse).length,
    totalBytes: sum(own),
    reclaimableBytes: sum(own.filter(({ inUse }) => !inUse)),
  };
}
