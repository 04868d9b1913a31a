import { createCipheriv, createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { silentLogger } from '#base/logger.ts';
import type { Logger } from '#base/logger.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import type { EventLog } from '#engine/events/event-log.ts';
import type { Images, OnProgress } from '#engine/images/images.ts';
import type { LayerStore } from '#engine/images/layer-store.ts';
import { openImages } from '#engine/images/open-images.ts';
import type { Mirrors } from '#engine/images/registry/mirrors.ts';
import type { Digest } from '#formats/oci.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';

import { MemorySnapshots } from './memory-snapshots.ts';

export interface ImageRoomOptions {
  readonly logger?: Logger;
  readonly idleTimeoutMs?: number;
  readonly insecureRegistries?: readonly string[];
  readonly blobCacheBytes?: number;
  readonly mirrors?: Mirrors;
  readonly certificatesPath?: string;
  /** Layers to stand on instead of such in memory. */
  readonly snapshots?: LayerStore;
  readonly users?: (imageId: Digest) => readonly { readonly id: string; readonly running: boolean }[];
}

/** The images over layers in memory, in a folder of their own that goes with them. */
export class ImageRoom implements AsyncDisposable {
  readonly dataDir: string;
  readonly snapshots = new MemorySnapshots();
  /** What the images stand on: `snapshots`, or what was given instead. */
  readonly layers: LayerStore;
  readonly events: EventLog = createEventLog();
  readonly #options: ImageRoomOptions;
  readonly #cleanUps: (() => Promise<void>)[] = [];
  #images: (Images & AsyncDisposable) | undefined;

  private constructor(dataDir: string, options: ImageRoomOptions) {
    this.dataDir = dataDir;
    this.#options = options;
    this.layers = options.snapshots ?? this.snapshots;
  }

  static async open(options: ImageRoomOptions = {}): Promise<ImageRoom> {
    const room = new ImageRoom(await mkdtemp(join(tmpdir(), 'slipway-images-')), options);
    await room.reopen();
    return room;
  }

  get images(): Images {
    if (this.#images === undefined) throw new Error('the images are closed');
    return this.#images;
  }

  /** Closes and opens again over the same folder and layers, as a restart does. */
  async reopen(): Promise<void> {
    await this.#images?.[Symbol.asyncDispose]();
    const { users, logger = silentLogger, insecureRegistries = [], idleTimeoutMs, ...more } = this.#options;
    this.#images = await openImages(
      {
        ...more,
        dataDir: this.dataDir,
        snapshots: this.layers,
        events: this.events,
        users: { usersOf: users ?? (() => []) },
        insecureRegistries,
        logger,
        retryDelayMs: 1,
        ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
      },
      new AbortController().signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#images?.[Symbol.asyncDispose]();
    await rm(this.dataDir, { recursive: true, force: true });
    for (const cleanUp of this.#cleanUps) await cleanUp();
  }

  /** Has `cleanUp` run after the images are closed. */
  onClosed(cleanUp: () => Promise<void>): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Files in the room's folder that belong to operations under way: none when all is quiet. */
  async leftovers(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const folder of ['scratch', 'intents', 'damaged']) {
      for (const name of await readdir(join(this.dataDir, folder))) found.push(`${folder}/${name}`);
    }
    return found;
  }
}

/** An uncompressed layer tar of small files. */
export async function layerTar(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const members = Object.entries(files).map(([path, content]) => {
    const body = typeof content === 'string' ? Buffer.from(content) : content;
    return { entry: tarEntry(path, { sizeBytes: body.length }), body };
  });
  return await collect(writeTar(members));
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function* chunked(bytes: Uint8Array, chunkBytes = 10_000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield bytes.subarray(at, at + chunkBytes);
    await Promise.resolve();
  }
}

/** Bytes that do not compress, the same every time. */
export function noise(sizeBytes: number, seed = 'noise'): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

/** Collects progress as lines: `<id>: <status>` or the status alone. */
export function progressLines(): { readonly lines: string[]; readonly onProgress: OnProgress } {
  const lines: string[] = [];
  return { lines, onProgress: ({ id, status }) => lines.push(id === '' ? status : `${id}: ${status}`) };
}
