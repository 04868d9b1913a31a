import { open } from 'node:fs/promises';

import { mediaTypes } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import { familiarReference } from '#formats/reference.ts';
import type { OnProgress } from '../images.ts';
import { inTurn } from '../in-turn.ts';
import { wantedLayers } from '../room.ts';
import type { Room, WantedLayer } from '../room.ts';
import { openScratchFolder } from '../scratch-folder.ts';
import { chainOf } from '../store/chain.ts';
import { decompress, zstdMagic } from '../stream/decompress.ts';
import { observe } from '../stream/observe.ts';
import { readFileChunks } from '../stream/read-file.ts';
import { ProgressLine } from '../transfer/progress-lines.ts';
import { readLayout } from './read-layout.ts';
import type { ArchivedImage } from './read-layout.ts';
import { Spool } from './spool.ts';
import type { SpooledFile } from './spool.ts';

/** Loads all images of an archive, or none; see `Images.load`. */
export async function loadArchive(
  room: Room,
  archive: AsyncIterable<Uint8Array>,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  await using scratch = await openScratchFolder(room.scratchDir);
  const spool = new Spool(scratch.path);
  await spool.fill(decompress(archive), signal);
  const images = await readLayout(spool);
  await using _intent = await room.layers.intend(images.flatMap(({ config }) => chainOf(config.rootfs.diff_ids)));
  for (const { config, layers } of images) {
    const wanted = wantedLayers(config.rootfs.diff_ids, chainOf(config.rootfs.diff_ids));
    for (const [index, layer] of wanted.entries()) {
      await loadLayer(room, layer, layers[index] as SpooledFile, onProgress, signal);
    }
  }
  await keepCompressed(room, images);
  return await room.change(async () => {
    signal.throwIfAborted();
    const loaded: string[] = [];
    for (const image of images) loaded.push(...(await addImage(room, image, onProgress)));
    return loaded;
  });
}

async function loadLayer(
  room: Room,
  layer: WantedLayer,
  file: SpooledFile,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<void> {
  const line = new ProgressLine(layer.diffId, onProgress);
  const load = async (): Promise<void> => {
    if (room.snapshots.layer(layer.chainId) !== undefined) return;
    let tarSizeBytes = 0;
    const bytes = observe(
      readFileChunks(file.path),
      (done) => line.count('Loading layer', done, file.sizeBytes),
      signal,
    );
    const tar = observe(decompress(bytes), (done) => (tarSizeBytes = done), signal);
    await room.snapshots.unpack(layer.parent, tar, layer.diffId, signal);
    await room.notes.setTarSize(layer.diffId, tarSizeBytes);
  };
  await inTurn((work) => room.layers.exclusively(layer.chainId, work), load, signal);
}

/** Compressed layers are kept, so that a push sends the very bytes that the image's manifest names. */
async function keepCompressed(room: Room, images: readonly ArchivedImage[]): Promise<void> {
  const kept = new Set<Digest>();
  for (const { config, layers } of images) {
    for (const [index, { path, sizeBytes, digest }] of layers.entries()) {
      const diffId = config.rootfs.diff_ids[index];
      if (diffId === undefined || digest === diffId || kept.has(digest)) continue;
      const mediaType = (await isZstd(path)) ? mediaTypes.ociLayerZstd : mediaTypes.ociLayerGzip;
      await room.notes.addBlob(diffId, { digest, sizeBytes, mediaType }, undefined);
      await room.blobs.adopt(digest, path);
      kept.add(digest);
    }
  }
}

async function isZstd(path: string): Promise<boolean> {
  await using file = await open(path, 'r');
  const { buffer } = await file.read(Buffer.alloc(zstdMagic.length), 0, zstdMagic.length, 0);
  return buffer.equals(zstdMagic);
}

async function addImage(
  room: Room,
  { configBytes, manifestBytes, tags }: ArchivedImage,
  onProgress: OnProgress,
): Promise<readonly string[]> {
  const { id } = await room.store.put(configBytes, { manifestBytes });
  for (const tag of tags) {
    const before = await room.store.name(tag, id);
    if (before === undefined || before === id) continue;
    const text = `The image ${familiarReference(tag)} already exists, renaming the old one with ID ${before} to empty string`;
    onProgress({ id: '', status: text });
  }
  room.events.publish('image', 'load', id, { name: id });
  return tags.length === 0 ? [id] : tags.map(familiarReference);
}
