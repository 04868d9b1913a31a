import { open } from 'node:fs/promises';

import { mediaTypes } from '#formats/oci.ts';
import type { Digest, Platform } from '#formats/oci.ts';
import { familiarReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { LayerGroup } from '../../snapshots/snapshots.ts';
import type { OnProgress } from '../images.ts';
import { makeLayers } from '../make-layers.ts';
import type { LayerMaking } from '../make-layers.ts';
import { wantedLayers } from '../room.ts';
import type { Room, WantedLayer } from '../room.ts';
import { openScratchFolder } from '../scratch-folder.ts';
import { chainOf } from '../store/chain.ts';
import type { StoredImage } from '../store/image-record.ts';
import type { AddedNote } from '../store/layer-notes.ts';
import { ArchiveFile } from '../../stream/archive-file.ts';
import { decompress, zstdMagic } from '../../stream/decompress.ts';
import { hostFirst } from '../transfer/choose-platform.ts';
import { ProgressLine } from '../transfer/progress-lines.ts';
import { readLayout } from './read-layout.ts';
import type { ArchivedImage } from './read-layout.ts';
import { Spool } from './spool.ts';
import type { SpooledFile } from './spool.ts';

/** Loads all images of an archive, or none; see `Images.load`. */
export async function loadArchive(
  room: Room,
  archive: AsyncIterable<Uint8Array>,
  platform: Platform | undefined,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  await using scratch = await openScratchFolder(room.scratchDir);
  const spool = new Spool(scratch.path);
  await spool.fill(decompress(archive), signal);
  const images = await readLayout(spool, platform);
  await using _intent = await room.layers.intend(images.flatMap(({ config }) => chainOf(config.rootfs.diff_ids)));
  for (const { config, layers } of images) {
    const wanted = wantedLayers(config.rootfs.diff_ids, chainOf(config.rootfs.diff_ids));
    const makings = wanted.map((layer, index) => new LoadedLayer(layer, layers[index] as SpooledFile, onProgress));
    await makeLayers(room, makings, signal);
    await room.notes.add(makings.map((making) => making.note()));
  }
  await keepCompressed(room, images);
  return await room.change(async () => {
    signal.throwIfAborted();
    return await addImages(room, images, onProgress);
  });
}

class LoadedLayer implements LayerMaking {
  readonly layer: WantedLayer;
  readonly #file: SpooledFile;
  readonly #line: ProgressLine;
  #tarSizeBytes: number | undefined;

  constructor(layer: WantedLayer, file: SpooledFile, onProgress: OnProgress) {
    this.layer = layer;
    this.#file = file;
    this.#line = new ProgressLine(layer.diffId, onProgress);
  }

  note(): AddedNote {
    return { diffId: this.layer.diffId, tarSizeBytes: this.#tarSizeBytes };
  }

  /** It is in the spool. */
  async fetch(): Promise<void> {
    await Promise.resolve();
  }

  async unpack(group: LayerGroup, signal: AbortSignal): Promise<void> {
    const { path, sizeBytes } = this.#file;
    const tar = new ArchiveFile(path, (fileBytes, tarBytes) => {
      this.#tarSizeBytes = tarBytes;
      this.#line.count('Loading layer', fileBytes, sizeBytes);
    });
    await group.unpack(this.layer.parent, tar, this.layer.diffId, signal);
  }
}

/** Compressed layers are kept, so that a push sends the very bytes that the image's manifest names. */
async function keepCompressed(room: Room, images: readonly ArchivedImage[]): Promise<void> {
  const kept = new Set<Digest>();
  for (const { config, layers } of images) {
    for (const [index, { path, sizeBytes, digest }] of layers.entries()) {
      const diffId = config.rootfs.diff_ids[index];
      if (diffId === undefined || digest === diffId || kept.has(digest)) continue;
      const mediaType = (await isZstd(path)) ? mediaTypes.ociLayerZstd : mediaTypes.ociLayerGzip;
      await room.notes.add([{ diffId, blob: { digest, sizeBytes, mediaType } }]);
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

/** Adds the images, and then their names, each of which may stand for several of them. Returns what was loaded. */
async function addImages(
  room: Room,
  images: readonly ArchivedImage[],
  onProgress: OnProgress,
): Promise<readonly string[]> {
  const loaded: string[] = [];
  const targets = new Map<string, { tag: Reference; images: StoredImage[]; index: Uint8Array | undefined }>();
  for (const { configBytes, manifestBytes, indexBytes, tags } of images) {
    const image = await room.store.put(configBytes, { manifestBytes });
    room.events.publish('image', 'load', image.id, { name: image.id });
    if (tags.length === 0) loaded.push(image.id);
    for (const tag of tags) {
      const target = targets.get(familiarReference(tag)) ?? { tag, images: [], index: indexBytes };
      targets.set(familiarReference(tag), target);
      if (!target.images.some(({ id }) => id === image.id)) target.images.push(image);
    }
  }
  for (const [name, { tag, images: those, index }] of targets) {
    const before = await room.store.name(tag, { images: hostFirst(those), index });
    loaded.push(name);
    const old = before?.images.find((image) => !those.some(({ id }) => id === image.id));
    if (old === undefined) continue;
    const text = `The image ${name} already exists, renaming the old one with ID ${old.id} to empty string`;
    onProgress({ id: '', status: text });
  }
  return loaded;
}
