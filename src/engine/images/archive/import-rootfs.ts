import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { nowMs } from '#base/clock.ts';
import type { Digest, ImageConfig, ImageDefaults, Platform } from '#formats/oci.ts';
import { withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { inTurn } from '../in-turn.ts';
import type { Room } from '../room.ts';
import { openScratchFolder } from '../scratch-folder.ts';
import type { StoredImage } from '../store/image-record.ts';
import { ArchiveFile } from '../../stream/archive-file.ts';
import { decompress } from '../../stream/decompress.ts';
import { hostPlatform } from '../transfer/choose-platform.ts';

export interface ImportOptions {
  readonly tag?: Reference;
  readonly message?: string;
  readonly config?: ImageDefaults;
  readonly platform?: Platform;
  /** RFC 3339; now without it. */
  readonly created?: string;
}

/** Makes an image of one layer; see `Images.import`. */
export async function importRootfs(
  room: Room,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<StoredImage> {
  await using scratch = await openScratchFolder(room.scratchDir);
  // The layer's name is its digest, and an intent must name the layer before it is made: so the tar goes to disk first.
  const path = join(scratch.path, 'rootfs');
  const { diffId, sizeBytes } = await spool(decompress(source), path, signal);
  await using _intent = await room.layers.intend([diffId]);
  const unpack = async (): Promise<void> => {
    if (room.snapshots.layer(diffId) !== undefined) return;
    await room.snapshots.unpack(undefined, new ArchiveFile(path), diffId, signal);
  };
  await inTurn((work) => room.layers.exclusively(diffId, work), unpack, signal);
  await room.notes.add([{ diffId, tarSizeBytes: sizeBytes }]);
  return await room.change(async () => {
    signal.throwIfAborted();
    const image = await room.store.put(Buffer.from(JSON.stringify(configOf(diffId, options))), {});
    if (options.tag !== undefined) await room.store.name(withDefaultTag(options.tag), { images: [image] });
    room.events.publish('image', 'import', image.id, { name: image.id });
    return image;
  });
}

function configOf(diffId: Digest, options: ImportOptions): ImageConfig {
  const created = options.created ?? new Date(nowMs()).toISOString();
  return {
    ...(options.platform ?? hostPlatform()),
    created,
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, comment: options.message ?? 'Imported from -' }],
  };
}

async function spool(
  tar: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly diffId: Digest; readonly sizeBytes: number }> {
  await using file = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of tar) {
    signal.throwIfAborted();
    hash.update(chunk);
    await file.appendFile(chunk);
    sizeBytes += chunk.length;
  }
  return { diffId: `sha256:${hash.digest('hex')}`, sizeBytes };
}
