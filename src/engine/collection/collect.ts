import { statfsSync } from 'node:fs';

import { nowMs } from '#base/clock.ts';

import type { Engine } from '../engine.ts';
import { type Collectable, type CollectableImage, type CollectionRules, planCollection } from './plan-collection.ts';
import type { UnusedSince } from './unused-since.ts';

type Parts = Pick<Engine, 'images' | 'snapshots' | 'containers' | 'builder' | 'options'>;

/** What would be removed now, and why. */
export async function planNow(
  engine: Parts,
  unusedSince: UnusedSince,
  rulesFor: (disk: Disk) => CollectionRules,
  signal: AbortSignal,
): Promise<readonly Collectable[]> {
  const disk = diskOf(engine);
  const now = nowMs();
  return planCollection(rulesFor(disk), {
    nowMs: now,
    freeBytes: disk.freeBytes,
    images: await collectableImages(engine, unusedSince, now),
    cache: await engine.builder.cacheEntries(signal),
    layer: (id) => engine.snapshots.layer(id),
  });
}

/** Removes what is planned; what is used since then stays. Returns the bytes that came back. */
export async function collect(engine: Parts, plan: readonly Collectable[], signal: AbortSignal): Promise<number> {
  const planned = (kind: Collectable['kind']): ReadonlySet<string> =>
    new Set(plan.filter((one) => one.kind === kind).map(({ id }) => id));
  const images = planned('image');
  const entries = planned('build cache');
  let freedBytes = 0;
  if (images.size > 0)
    freedBytes += (await engine.images.prune({ danglingOnly: false, only: ({ id }) => images.has(id) }, signal))
      .freedBytes;
  if (entries.size > 0)
    freedBytes += (await engine.builder.pruneCache({ only: ({ id }) => entries.has(id) }, signal)).freedBytes;
  return freedBytes;
}

export interface Disk {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** The filesystem that holds the engine's data. */
export function diskOf({ options }: Pick<Engine, 'options'>): Disk {
  const { bsize, blocks, bavail } = statfsSync(options.dataDir);
  return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
}

async function collectableImages(
  { images, containers }: Pick<Parts, 'images' | 'containers'>,
  unusedSince: UnusedSince,
  now: number,
): Promise<readonly CollectableImage[]> {
  const all = images.list();
  const used = new Set([
    ...containers.list().map(({ spec }) => spec.imageId),
    ...all.flatMap(({ parent }) => parent ?? []),
  ]);
  const unused = all.filter(({ id }) => !used.has(id));
  const since = await unusedSince.look(
    unused.map(({ id }) => id),
    now,
  );
  return all.map((image) => ({
    id: image.id,
    name: image.tags[0] ?? '',
    topLayer: image.topLayer,
    // Who names it again means to use it.
    unusedSinceMs: Math.max(since.get(image.id) ?? now, Number(image.lastTaggedNs / 1_000_000n)),
    inUse: used.has(image.id),
  }));
}
