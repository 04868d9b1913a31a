import { StatusError } from '#base/errors.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import type { Logger } from '#base/logger.ts';
import type { Digest } from '#formats/oci.ts';
import { measureTree } from '#sys/tree/measure-tree.ts';

import { commitCopyOfSnapshot, commitSnapshot } from './commit-snapshot.ts';
import { findChanges } from './find-changes.ts';
import { type LayerRecord, LayerStore } from './layer-store.ts';
import { packLayer } from './pack-layer.ts';
import type { Layer, Snapshots } from './snapshots.ts';
import { UnpackThreads } from './unpack-threads.ts';
import { UnpackedLayers } from './unpacked-layers.ts';
import { verifyLayer } from './verify-layer.ts';
import { WritableStore } from './writable-store.ts';

export interface SnapshotsOptions {
  /** A folder of its own, on a filesystem that overlayfs can write to (ext4, xfs with ftype=1, btrfs). */
  readonly dataDir: string;
  readonly logger: Logger;
}

/**
 * Opens the layers and snapshots of a folder: removes what a crash left half-made, keeps the rest. Mounts that are there
 * stay; disposing leaves them, since containers may run on them.
 */
export async function openSnapshots(options: SnapshotsOptions): Promise<Snapshots & AsyncDisposable> {
  const layers = await LayerStore.open(options.dataDir, options.logger);
  const writables = await WritableStore.open(options.dataDir, layers, options.logger);
  const threads = new UnpackThreads();
  const lock = new KeyedLock();
  return {
    layer: (chainId) => plain(layers.get(chainId)),
    layers: () => layers.list().map(toLayer),
    unpack: async (parent, tar, diffId, signal) => {
      await using group = new UnpackedLayers(layers, threads);
      const { chainId } = await group.unpack(parent, tar, diffId, signal);
      await group.commit();
      return toLayer(found(layers, chainId));
    },
    group: () => new UnpackedLayers(layers, threads),
    pack: (chainId, signal) => packLayer(layers, found(layers, chainId), signal),
    verify: (chainId, signal) => verifyLayer(layers, found(layers, chainId), signal),
    removeLayer: (chainId) => layers.remove(chainId),
    create: (id, parent) => lock.run(id, () => writables.create(id, parent)),
    mount: (id, how = {}) => writables.mount(id, how),
    unmount: (id) => writables.unmount(id),
    upperPath: (id) => writables.upper(id),
    isMounted: (id) => writables.isMounted(id),
    changes: (id, signal) => findChanges(writables.upper(id), layers.viewOf(writables.parentOf(id)), signal),
    writtenBytes: (id, signal) => measureTree(writables.upper(id), signal),
    commit: (id, signal) => lock.run(id, async () => toLayer(await commitSnapshot(layers, writables, id, signal))),
    commitCopy: (id, signal) =>
      lock.run(id, async () => toLayer(await commitCopyOfSnapshot(layers, writables, id, signal))),
    remove: (id) => lock.run(id, () => writables.remove(id)),
    writables: () => writables.list(),
    [Symbol.asyncDispose]: async () => {
      await threads[Symbol.asyncDispose]();
      await layers[Symbol.asyncDispose]();
    },
  };
}

function found(layers: LayerStore, chainId: Digest): LayerRecord {
  const record = layers.get(chainId);
  if (record === undefined)
    throw new StatusError(
      'NotFound',
      `Cannot read layer "${chainId}": it is not on this machine; pull its image again`,
    );
  return record;
}

function plain(record: LayerRecord | undefined): Layer | undefined {
  return record === undefined ? undefined : toLayer(record);
}

function toLayer({ chainId, diffId, parent, sizeBytes }: LayerRecord): Layer {
  return { chainId, diffId, parent, sizeBytes };
}
