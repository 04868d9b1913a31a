import { messageOf } from '#base/errors.ts';
import { type BuildCache, type BuildCacheStep, buildCacheType, formatBuildCache } from '#formats/build-cache.ts';
import type { Digest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import type { Images, TransferProgress } from '../images/images.ts';
import type { Layer, Snapshots } from '../snapshots/snapshots.ts';
import type { BuildEvent, BuildRequest } from './builder.ts';
import type { TrailStep } from './trail-step.ts';

interface Finished {
  readonly trail: readonly TrailStep[];
  /** The image's topmost layer. */
  readonly top: Digest | undefined;
}

/** What one manifest holds. */
const maxLayers = 127;

/** Tells the steps of a build to the registries and stores that it names. */
export async function exportCaches(
  { images, snapshots }: { readonly images: Images; readonly snapshots: Snapshots },
  { cacheTo = [], auth }: BuildRequest,
  { trail, top }: Finished,
  emit: (event: BuildEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const onProgress = (progress: TransferProgress): void => emit({ kind: 'progress', ...progress });
  for (const target of cacheTo) {
    if (target.kind === 'inline') continue;
    try {
      const own = layersBelow(snapshots, top);
      const { layers, cache } = describeCache(snapshots, target.mode === 'max' ? trail : stepsWithin(trail, own), own);
      const artifact = { layers, documentType: buildCacheType, document: formatBuildCache(cache) };
      if (target.kind === 'store') {
        target.onStored(await images.storeArtifact(target.store, artifact, onProgress, signal));
        continue;
      }
      const reference = parseReference(target.reference);
      const login = await auth(reference.domain);
      await images.pushArtifact(reference, artifact, login === undefined ? {} : { auth: login }, onProgress, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!target.ignoresErrors) throw error;
      const name = target.kind === 'store' ? target.name : target.reference;
      emit({ kind: 'warning', text: `Cannot export the cache to "${name}": ${messageOf(error)}` });
    }
  }
}

/** The steps that made an image's own layers, as its configuration says them. */
export function inlineSteps(snapshots: Snapshots, { trail, top }: Finished): BuildCache['steps'] {
  const own = layersBelow(snapshots, top);
  return describeCache(snapshots, stepsWithin(trail, own), own).cache.steps;
}

/** The image's layers come first, in their order; those that do not fit are left out, with their steps. */
function describeCache(
  snapshots: Snapshots,
  trail: readonly TrailStep[],
  own: readonly Layer[],
): { readonly layers: readonly Layer[]; readonly cache: BuildCache } {
  const all = [...own, ...trail.flatMap(({ chainId }) => layersBelow(snapshots, chainId))];
  const kept = [...new Map(all.map((layer) => [layer.chainId, layer])).values()].slice(0, maxLayers);
  const places = new Map(kept.map(({ chainId }, index) => [chainId, index]));
  const steps = trail.flatMap(({ key, chainId, createdAtMs, description }): BuildCacheStep[] => {
    const layer = chainId === undefined ? undefined : places.get(chainId);
    return chainId !== undefined && layer === undefined ? [] : [{ key, layer, createdAtMs, description }];
  });
  // The same image says the same, in whatever order its stages were built.
  steps.sort((one, other) => (one.key < other.key ? -1 : 1));
  const described = kept.map(({ diffId, parent }) => ({
    diffId,
    parent: parent === undefined ? undefined : places.get(parent),
  }));
  return { layers: kept, cache: { layers: described, steps } };
}

function stepsWithin(trail: readonly TrailStep[], own: readonly Layer[]): readonly TrailStep[] {
  const chain = new Set(own.map(({ chainId }) => chainId));
  return trail.filter(({ chainId }) => chainId === undefined || chain.has(chainId));
}

/** From the lowest; nothing when the layer is gone. */
function layersBelow(snapshots: Snapshots, top: Digest | undefined): readonly Layer[] {
  const chain: Layer[] = [];
  for (let layer = find(snapshots, top); layer !== undefined; layer = find(snapshots, layer.parent))
    chain.unshift(layer);
  return chain;
}

function find(snapshots: Snapshots, chainId: Digest | undefined): Layer | undefined {
  return chainId === undefined ? undefined : snapshots.layer(chainId);
}
