import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';

import type { Digest } from '#formats/oci.ts';
import { copyTree } from '#sys/tree/copy-tree.ts';
import { isOrdinaryXattr } from '#sys/tree/tree-entry.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';
import { setXattr } from '#sys/xattrs.ts';

import type { LayerRecord, LayerStore } from './layer-store.ts';
import { isOpaque, opaqueXattr } from './lower-view.ts';
import { packFiles } from './pack-files.ts';
import { chainIdOf } from './unpack-layer.ts';
import type { WritableStore } from './writable-store.ts';

/** Makes a layer of a snapshot's upper folder by moving it, and removes the snapshot. */
export async function commitSnapshot(
  layers: LayerStore,
  writables: WritableStore,
  id: string,
  signal: AbortSignal,
): Promise<LayerRecord> {
  writables.unmount(id);
  const upper = writables.upper(id);
  const record = await describe(layers, upper, writables.parentOf(id), signal);
  const known = layers.get(record.chainId);
  if (known !== undefined) {
    await writables.remove(id);
    return known;
  }
  await using folder = await layers.temporary();
  await rename(upper, join(folder.path, 'fs'));
  const layer = await layers.add(folder.path, record);
  await writables.remove(id);
  return layer;
}

/** Makes a layer of a copy of a snapshot's upper folder. */
export async function commitCopyOfSnapshot(
  layers: LayerStore,
  writables: WritableStore,
  id: string,
  signal: AbortSignal,
): Promise<LayerRecord> {
  const parent = writables.parentOf(id);
  await using folder = await layers.temporary();
  const files = join(folder.path, 'fs');
  const from = writables.upper(id);
  await copyTree({ from, root: folder.path, path: 'fs', keepsXattr: isOrdinaryXattr }, signal);
  for (const { path, at, stat } of walkTree(from))
    if (stat.isDirectory() && isOpaque(at)) setXattr(`${files}/${path}`, opaqueXattr, Buffer.from('y'));
  return await layers.add(folder.path, await describe(layers, files, parent, signal));
}

async function describe(
  layers: LayerStore,
  files: string,
  parent: Digest | undefined,
  signal: AbortSignal,
): Promise<LayerRecord> {
  const hash = createHash('sha256');
  const rootBelow = parent === undefined ? undefined : join(layers.folderOf(parent), 'fs');
  let sizeBytes = 0;
  const count = (fileBytes: number): void => {
    sizeBytes += fileBytes;
  };
  for await (const bytes of packFiles(files, rootBelow, count, signal)) hash.update(bytes);
  const diffId: Digest = `sha256:${hash.digest('hex')}`;
  return { chainId: chainIdOf(parent, diffId), diffId, parent, sizeBytes, source: 'files', displaced: [] };
}
