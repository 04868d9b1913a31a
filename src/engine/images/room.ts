import type { ConcurrencyLimit } from '#base/limit.ts';
import type { Logger } from '#base/logger.ts';
import type { Digest } from '#formats/oci.ts';
import type { EventLog } from '../events/event-log.ts';
import type { RegistryAuth } from './images.ts';
import type { LayerStore } from './layer-store.ts';
import type { RegistrySession } from './registry/registry-session.ts';
import type { BlobCache } from './store/blob-cache.ts';
import type { ImageStore } from './store/image-store.ts';
import type { LayerKeeper } from './store/layer-keeper.ts';
import type { LayerNotes } from './store/layer-notes.ts';

/** What the operations on images share. */
export interface Room {
  readonly snapshots: LayerStore;
  readonly store: ImageStore;
  readonly layers: LayerKeeper;
  readonly notes: LayerNotes;
  /** Compressed layers as they came. */
  readonly blobs: BlobCache;
  readonly events: EventLog;
  readonly logger: Logger;
  /** For files that live as long as one operation; emptied at the start. */
  readonly scratchDir: string;
  readonly downloads: ConcurrencyLimit;
  readonly uploads: ConcurrencyLimit;
  connect(domain: string, auth: RegistryAuth | undefined, how?: { readonly wantsIdentity?: boolean }): RegistrySession;
  /** The mirrors of a registry, in the order in which they are asked, with what stands before names there. */
  connectMirrors(domain: string): readonly { readonly session: RegistrySession; readonly prefix: string }[];
  /** Runs changes of images and names one after the other. */
  change<T>(work: () => Promise<T>): Promise<T>;
}

/** A layer that an image is to have. */
export interface WantedLayer {
  readonly chainId: Digest;
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
}

/** The layers of a configuration with their places in the chain, from the lowest. */
export function wantedLayers(diffIds: readonly Digest[], chain: readonly Digest[]): readonly WantedLayer[] {
  return diffIds.map((diffId, index) => ({ diffId, chainId: chain[index] ?? diffId, parent: chain[index - 1] }));
}
