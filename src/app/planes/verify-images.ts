import { shortId } from '#base/ids.ts';
import type { Engine } from '#engine/engine.ts';
import type { Image } from '#engine/images/images.ts';
import type { Layer } from '#engine/snapshots/snapshots.ts';
import type { Digest } from '#formats/oci.ts';

import type { DamagedLayer, VerifyLine } from '../control-protocol.ts';

/** `POST /images/verify`: compares the layers of images, all layers without names, with their digests. Throws NotFound. */
export async function verifyImages(
  { images, snapshots }: Pick<Engine, 'images' | 'snapshots'>,
  names: readonly string[],
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<VerifyLine> {
  const chainOf = (top: Digest | undefined): readonly Layer[] => {
    const chain: Layer[] = [];
    for (let next = top; next !== undefined;) {
      const layer = snapshots.layer(next);
      if (layer === undefined) break;
      chain.unshift(layer);
      next = layer.parent;
    }
    return chain;
  };
  const chosen = names.flatMap((name) => chainOf(images.get(name).topLayer));
  const layers = [...new Map((names.length === 0 ? snapshots.layers() : chosen).map((one) => [one.chainId, one]))];
  const damaged: DamagedLayer[] = [];
  for (const [index, [chainId, { diffId, sizeBytes }]] of layers.entries()) {
    signal.throwIfAborted();
    onProgress(`${String(index + 1)}/${String(layers.length)} ${shortId(diffId)} ${(sizeBytes / 1e6).toFixed(1)} MB`);
    // It may have been removed meanwhile.
    if (snapshots.layer(chainId) === undefined) continue;
    const damage = await snapshots.verify(chainId, signal);
    if (damage === undefined) continue;
    const having = images.list().filter(({ topLayer }) => chainOf(topLayer).some((one) => one.chainId === chainId));
    damaged.push({ diffId, damage, images: having.map(nameOf).sort() });
  }
  return { kind: 'done', layers: layers.length, damaged };
}

function nameOf({ id, tags }: Image): string {
  return tags[0] ?? shortId(id);
}
