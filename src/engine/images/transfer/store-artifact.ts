import { mediaTypes } from '#formats/oci.ts';
import type { Descriptor, Digest } from '#formats/oci.ts';
import type { ContentStore, StoredBlob } from '../content-store.ts';
import type { LayerArtifact, OnProgress } from '../images.ts';
import { inTurn } from '../in-turn.ts';
import type { Room, WantedLayer } from '../room.ts';
import type { BlobNote } from '../store/layer-notes.ts';
import { gzip } from '../../stream/gzip.ts';
import { observe } from '../../stream/observe.ts';
import { readFileChunks } from '../../stream/read-file.ts';
import { ProgressLine } from './progress-lines.ts';
import { ociLayerType } from './push-manifest.ts';

/** Writes layers with a document as an OCI image manifest into a store; see `Images.storeArtifact`. */
export async function storeArtifact(
  room: Room,
  store: ContentStore,
  { layers, documentType, document }: LayerArtifact,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Descriptor> {
  using _hold = room.layers.hold(layers.map(({ chainId }) => chainId));
  const stored = new Map<Digest, Descriptor>();
  // One after the other: the store is one connection to one disk.
  for (const layer of layers) {
    if (stored.has(layer.diffId)) continue;
    const line = new ProgressLine(layer.diffId, onProgress);
    const send = async (): Promise<Descriptor> => await storeLayer(room, store, layer, line, signal);
    stored.set(layer.diffId, await inTurn((work) => room.uploads.run(work), send, signal));
  }
  const config = await store.write(once(document), signal);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: documentType, digest: config.digest, size: config.sizeBytes },
    layers: layers.map(({ diffId }) => stored.get(diffId)),
  };
  const { digest, sizeBytes } = await store.write(once(Buffer.from(JSON.stringify(manifest))), signal);
  return { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes };
}

/** As a blob that is there already, else one that is kept here, else compressed anew. */
async function storeLayer(
  room: Room,
  store: ContentStore,
  layer: WantedLayer,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { blobs } = room.notes.get(layer.diffId);
  for (const { digest, sizeBytes, mediaType } of blobs) {
    if ((await store.sizeOf(digest, signal)) !== sizeBytes) continue;
    line.say('Layer already exists');
    return { mediaType: ociLayerType(mediaType), digest, size: sizeBytes };
  }
  for (const blob of blobs) {
    const kept = await storeKept(room, store, blob, line, signal);
    if (kept !== undefined)
      return { mediaType: ociLayerType(blob.mediaType), digest: kept.digest, size: kept.sizeBytes };
  }
  const total = room.notes.get(layer.diffId).tarSizeBytes ?? room.snapshots.layer(layer.chainId)?.sizeBytes ?? 0;
  const tar = room.snapshots.pack(layer.chainId, signal);
  const count = (bytes: number): void => line.count('Writing', Math.min(bytes, total), total);
  const { digest, sizeBytes } = await store.write(gzip(observe(tar, count, signal)), signal);
  const mediaType = mediaTypes.ociLayerGzip;
  await room.notes.add([{ diffId: layer.diffId, blob: { digest, sizeBytes, mediaType } }]);
  line.say('Written');
  return { mediaType, digest, size: sizeBytes };
}

/** undefined when the blob is not kept, or was harmed on the disk. */
async function storeKept(
  { blobs, logger }: Room,
  store: ContentStore,
  { digest, sizeBytes }: BlobNote,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<StoredBlob | undefined> {
  await using _kept = blobs.hold(digest);
  if (!blobs.has(digest)) return undefined;
  const count = (bytes: number): void => line.count('Writing', bytes, sizeBytes);
  const written = await store.write(observe(readFileChunks(blobs.pathOf(digest)), count, signal), signal);
  if (written.digest === digest) {
    line.say('Written');
    return written;
  }
  logger.warn('a kept layer was harmed on the disk and is dropped', { digest });
  await blobs.remove(digest);
  return undefined;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
