import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { KeyedLock } from '#base/keyed-lock.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import type { Logger } from '#base/logger.ts';
import { makeFolderDurably } from '#sys/durable-file.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Images, ImageUsers } from './images.ts';
import type { LayerStore } from './layer-store.ts';
import { LocalImages } from './local-images.ts';
import { HttpTransport } from './registry/http-transport.ts';
import { mirrorsOf } from './registry/mirrors.ts';
import type { Mirrors } from './registry/mirrors.ts';
import { RegistrySession } from './registry/registry-session.ts';
import { ImageRemoval } from './remove-image.ts';
import type { Room } from './room.ts';
import { BlobCache } from './store/blob-cache.ts';
import { ImageStore } from './store/image-store.ts';
import { LayerKeeper } from './store/layer-keeper.ts';
import { LayerNotes } from './store/layer-notes.ts';

export interface ImagesOptions {
  /** Absolute; this room's own. */
  readonly dataDir: string;
  readonly snapshots: LayerStore;
  readonly events: EventLog;
  readonly users: ImageUsers;
  /** Registries that may be spoken to without TLS or with any certificate, `host[:port]`; loopback always may. */
  readonly insecureRegistries: readonly string[];
  readonly logger: Logger;
  /** Registries that are asked first, by domain; see `mirrorsOf`. */
  readonly mirrors?: Mirrors;
  /** Absolute: folders `<host[:port]>` with certificates; see `readHostCertificates`. */
  readonly certificatesPath?: string;
  /** Bytes of compressed layers that are kept beside the unpacked ones, for pushes to other registries. */
  readonly blobCacheBytes?: number;
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` for registries that are not on loopback. */
  readonly proxy?: Readonly<Record<string, string | undefined>>;
  /** A registry that is silent for so long is given up. */
  readonly idleTimeoutMs?: number;
  /** First wait before a failed request is sent again. */
  readonly retryDelayMs?: number;
}

const defaultIdleTimeoutMs = 60_000;
const defaultBlobCacheBytes = 4 * 1024 ** 3;
const defaultRetryDelayMs = 500;
/** Layers, over all pulls and pushes. */
const downloadsAtOnce = 3;
const uploadsAtOnce = 5;

/**
 * Opens the images of this machine: reads what is on disk, moves damaged records aside, and undoes what a crash left
 * half done.
 */
export async function openImages(options: ImagesOptions, signal: AbortSignal): Promise<Images & AsyncDisposable> {
  const { dataDir, snapshots, events, users, logger, insecureRegistries } = options;
  signal.throwIfAborted();
  await makeFolderDurably(dataDir);
  const scratchDir = join(dataDir, 'scratch');
  await rm(scratchDir, { recursive: true, force: true });
  await mkdir(scratchDir, { mode: 0o700 });
  const asidePath = join(dataDir, 'damaged');
  const store = new ImageStore({ dataDir, snapshots, logger });
  const notes = new LayerNotes({ path: join(dataDir, 'layer-notes'), asidePath, logger });
  const budgetBytes = options.blobCacheBytes ?? defaultBlobCacheBytes;
  const blobs = new BlobCache({ path: join(dataDir, 'layer-blobs'), budgetBytes });
  const layers = new LayerKeeper({
    path: join(dataDir, 'intents'),
    asidePath,
    logger,
    snapshots,
    isReferenced: (chainId) => store.isReferenced(chainId),
    onRemoved: async (diffId) => {
      for (const { digest } of notes.get(diffId).blobs) await blobs.remove(digest);
      await notes.forget(diffId);
    },
  });
  await store.open();
  await blobs.open();
  await notes.open(new Set(snapshots.layers().map(({ diffId }) => diffId)));
  await layers.open();
  const transport = new HttpTransport({
    idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    ...(options.certificatesPath === undefined ? {} : { certificatesPath: options.certificatesPath }),
  });
  const retryDelayMs = options.retryDelayMs ?? defaultRetryDelayMs;
  const common = { transport, insecureRegistries, retryDelayMs };
  const changes = new KeyedLock();
  const room: Room = {
    snapshots,
    store,
    layers,
    notes,
    blobs,
    events,
    logger,
    scratchDir,
    downloads: new ConcurrencyLimit(downloadsAtOnce),
    uploads: new ConcurrencyLimit(uploadsAtOnce),
    connect: (domain, auth, how) => new RegistrySession({ ...common, domain, auth, ...how }),
    connectMirrors: (domain) =>
      mirrorsOf(options.mirrors ?? {}, domain).map((mirror) => ({
        session: new RegistrySession({ ...common, domain, auth: undefined, mirror }),
        prefix: mirror.pathname.replace(/^\/|\/$/g, ''),
      })),
    change: (work) => changes.run('images', work),
  };
  return new LocalImages(room, new ImageRemoval({ store, layers, users, events }), transport);
}
