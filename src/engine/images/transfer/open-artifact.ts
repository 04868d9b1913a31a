import { StatusError } from '#base/errors.ts';
import { parseManifest } from '#formats/oci-json.ts';
import type { Descriptor, Digest } from '#formats/oci.ts';
import { familiarReference, fullName, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { ContentStore } from '../content-store.ts';
import type { HeldLayer, OnProgress, RemoteLayers } from '../images.ts';
import { Repository } from '../registry/repository.ts';
import { wantedLayers } from '../room.ts';
import type { Room } from '../room.ts';
import { chainOf } from '../store/chain.ts';
import { choosePlatform, hostPlatform } from './choose-platform.ts';
import { fetchBlob } from './fetch-blob.ts';
import { fetchLayers } from './fetch-layers.ts';
import type { LayerFetch } from './fetch-layers.ts';
import { fetchStored, readStored } from './fetch-stored.ts';
import type { PullOptions } from './pull-image.ts';

/** What a manifest of an artifact says, and how its blobs are had. */
interface Artifact {
  readonly name: string;
  readonly config: Descriptor;
  readonly document: Uint8Array;
  readonly blobs: readonly Descriptor[];
  readonly from: Pick<LayerFetch, 'download' | 'source'>;
}

/** Reads the document of an image or artifact, and fetches its layers when they are asked for; see `Images.openArtifact`. */
export async function openArtifact(
  room: Room,
  asked: Reference,
  options: PullOptions,
  signal: AbortSignal,
): Promise<RemoteLayers> {
  const reference = asked.digest === undefined ? withDefaultTag(asked) : { ...asked, tag: undefined };
  const name = familiarReference(reference);
  // Of the registry itself: mirrors are for images.
  const repository = new Repository(room.connect(reference.domain, options.auth), reference, 'pull');
  let found = await repository.getManifest(reference.digest ?? reference.tag ?? '', signal);
  if (found.document.kind === 'index') {
    const entry = choosePlatform(found.document.index.manifests, options.platform ?? hostPlatform());
    found = await repository.getManifest(entry.digest, signal);
  }
  if (found.document.kind === 'index')
    throw new StatusError('Damaged', `Cannot read ${name}: its index names an index`);
  const { config, layers: blobs } = found.document.manifest;
  const document = await repository.getConfig(config, signal);
  const download: LayerFetch['download'] = async (descriptor, line, signal) =>
    await fetchBlob(room, repository, descriptor, line, signal);
  return layersOf(room, { name, config, document, blobs, from: { download, source: fullName(reference) } });
}

/** The same from a store; see `Images.openStored`. */
export async function openStored(
  room: Room,
  store: ContentStore,
  digest: Digest,
  signal: AbortSignal,
): Promise<RemoteLayers> {
  const found = parseManifest(await readStored(store, digest, signal), undefined);
  if (found.kind === 'index')
    throw new StatusError('NotSupported', `Cannot read ${digest}: it is an index, which other builders write`);
  const { config, layers: blobs } = found.manifest;
  const document = await readStored(store, config.digest, signal);
  const download: LayerFetch['download'] = async (descriptor, line, signal) =>
    await fetchStored(room, store, descriptor, line, signal);
  return layersOf(room, { name: digest, config, document, blobs, from: { download, source: undefined } });
}

function layersOf(room: Room, { name, config, document, blobs, from }: Artifact): RemoteLayers {
  const fetch = async (
    layers: readonly { readonly diffId: Digest; readonly blob: number }[],
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<HeldLayer> => {
    const chain = chainOf(layers.map(({ diffId }) => diffId));
    const wanted = wantedLayers(
      layers.map(({ diffId }) => diffId),
      chain,
    );
    const pairs = wanted.map((layer, index) => [layer, blobs[layers[index]?.blob ?? -1]] as const);
    const chainId = chain.at(-1);
    const complete = pairs.filter((pair): pair is readonly [(typeof pair)[0], Descriptor] => pair[1] !== undefined);
    if (chainId === undefined || complete.length < pairs.length)
      throw new StatusError('Damaged', `Cannot read ${name}: it lacks layers that it names`);
    // Held beyond the intent, which would take away what no image stands on.
    const hold = room.layers.hold(chain);
    try {
      await using _intent = await room.layers.intend(chain);
      await fetchLayers(room, { ...from, onProgress }, complete, signal);
      return { chainId, [Symbol.dispose]: () => hold[Symbol.dispose]() };
    } catch (error) {
      hold[Symbol.dispose]();
      throw error;
    }
  };
  return { documentType: config.mediaType, document, layerCount: blobs.length, fetch };
}
