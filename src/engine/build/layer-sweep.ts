import { reasonOf } from '#base/errors.ts';
import type { Digest } from '#formats/oci.ts';
import type { Images } from '../images/images.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';

export interface LayerSweep {
  readonly images: Images;
  readonly snapshots: Snapshots;
  /** Layers that the build cache names. */
  readonly cached: readonly Digest[];
}

/**
 * Removes those of the layers, and of the layers below them, that no image, no record of the build cache, no other
 * layer and no writable snapshot stands on. Returns what went.
 */
export async function sweepLayers(
  { images, snapshots, cached }: LayerSweep,
  candidates: readonly Digest[],
): Promise<{ readonly removed: readonly Digest[]; readonly freedBytes: number }> {
  const tops = [...cached, ...images.list().flatMap(({ topLayer }) => topLayer ?? [])];
  const kept = withAllBelow(snapshots, tops);
  const removed: Digest[] = [];
  let freedBytes = 0;
  const deepestFirst = [...withAllBelow(snapshots, candidates)].sort(
    (one, other) => depth(snapshots, other) - depth(snapshots, one),
  );
  for (const chainId of deepestFirst) {
    const layer = kept.has(chainId) ? undefined : snapshots.layer(chainId);
    if (layer === undefined) continue;
    try {
      await snapshots.removeLayer(chainId);
    } catch (error) {
      if (reasonOf(error) === 'Conflict') continue;
      throw error;
    }
    removed.push(chainId);
    freedBytes += layer.sizeBytes;
  }
  return { removed, freedBytes };
}

/** The layers with those that they stand on. */
export function withAllBelow(snapshots: Snapshots, chainIds: readonly Digest[]): ReadonlySet<Digest> {
  const all = new Set<Digest>();
  for (const top of chainIds)
    for (let next: Digest | undefined = top; next !== undefined && !all.has(next);) {
      all.add(next);
      next = snapshots.layer(next)?.parent;
    }
  return all;
}

function depth(snapshots: Snapshots, chainId: Digest): number {
  let count = 0;
  for (let next = snapshots.layer(chainId)?.parent; next !== undefined; next = snapshots.layer(next)?.parent)
    count += 1;
  return count;
}
