import { statfs } from 'node:fs/promises';

import type { Digest } from '#formats/oci.ts';
import type { Images } from '../images/images.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { CacheEntry, CachePrune } from './builder.ts';
import type { CacheMounts } from './cache-mounts.ts';
import { sweepLayers, withAllBelow } from './layer-sweep.ts';
import type { StepCache, StepRecord } from './step-cache.ts';

export interface CacheRooms {
  readonly images: Images;
  readonly snapshots: Snapshots;
  readonly cache: StepCache;
  readonly cacheMounts: CacheMounts;
  /** On the disk whose free space counts. */
  readonly folder: string;
}

/** An entry, and how to find again what it stands for. */
interface Held {
  readonly entry: CacheEntry;
  readonly held:
    | { readonly keys: readonly string[]; readonly chainId: Digest | undefined }
    | { readonly mount: string };
}

const idLength = 25;

/** The build cache as a list of things with sizes, that can be looked at and taken away one by one. */
export class CacheContents {
  readonly #rooms: CacheRooms;

  constructor(rooms: CacheRooms) {
    this.#rooms = rooms;
  }

  async entries(signal: AbortSignal): Promise<readonly CacheEntry[]> {
    return (await this.#list(signal)).map(({ entry }) => entry);
  }

  /** See Builder.pruneCache. */
  async prune(
    options: CachePrune,
    signal: AbortSignal,
  ): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }> {
    const { only = () => true } = options;
    const all = await this.#list(signal);
    // What images have as well is not the cache's, as BuildKit counts.
    const own = ({ shared, sizeBytes }: CacheEntry): number => (shared ? 0 : sizeBytes);
    const sum = all.reduce((bytes, { entry }) => bytes + own(entry), 0);
    const keepBytes = await this.#keepBytes(options, sum);
    const removed: string[] = [];
    let restBytes = sum;
    let freedBytes = 0;
    for (const { entry, held } of all) {
      signal.throwIfAborted();
      if (keepBytes !== undefined && restBytes <= keepBytes) break;
      if (entry.inUse || !only(entry)) continue;
      if ('mount' in held) {
        if (!(await this.#rooms.cacheMounts.remove(held.mount))) continue;
        freedBytes += entry.sizeBytes;
      } else {
        await this.#rooms.cache.forget(held.keys);
        freedBytes += await this.#sweep(held.chainId);
      }
      removed.push(entry.id);
      restBytes -= own(entry);
    }
    return { removed, freedBytes };
  }

  async #list(signal: AbortSignal): Promise<readonly Held[]> {
    const mounts = (await this.#rooms.cacheMounts.list(signal)).map(({ name, id, ...usage }): Held => {
      const description = `cached mount ${id}`;
      const plain = { kind: 'mount', description, parents: [], shared: false, uses: 1 } as const;
      return { entry: { ...usage, ...plain, id: name.slice(0, idLength) }, held: { mount: name } };
    });
    return [...mounts, ...this.#steps()].toSorted((one, other) => one.entry.usedAtMs - other.entry.usedAtMs);
  }

  /** One entry per layer, whatever number of keys leads to it. */
  #steps(): readonly Held[] {
    const { images, snapshots, cache } = this.#rooms;
    const groups = Map.groupBy(cache.records(), ({ key, chainId }) => chainId ?? key);
    const inImages = withAllBelow(
      snapshots,
      images.list().flatMap(({ topLayer }) => topLayer ?? []),
    );
    return [...groups.values()].flatMap((records) => {
      const [first] = records;
      if (first === undefined) return [];
      const { chainId, description } = first;
      const layer = chainId === undefined ? undefined : snapshots.layer(chainId);
      if (chainId !== undefined && layer === undefined) return [];
      const parent = layer?.parent === undefined ? undefined : groups.get(layer.parent)?.[0];
      const entry: CacheEntry = {
        id: idOf(first),
        kind: 'step',
        description,
        parents: parent === undefined ? [] : [idOf(parent)],
        inUse: false,
        shared: chainId !== undefined && inImages.has(chainId),
        sizeBytes: layer?.sizeBytes ?? 0,
        createdAtMs: Math.min(...records.map(({ createdAtMs }) => createdAtMs)),
        usedAtMs: Math.max(...records.map(({ usedAtMs }) => usedAtMs)),
        uses: Math.max(...records.map(({ uses }) => uses)),
      };
      return [{ entry, held: { keys: records.map(({ key }) => key), chainId } }];
    });
  }

  async #sweep(chainId: Digest | undefined): Promise<number> {
    if (chainId === undefined) return 0;
    const { images, snapshots, cache } = this.#rooms;
    const cached = cache.records().flatMap((record) => record.chainId ?? []);
    return (await sweepLayers({ images, snapshots, cached }, [chainId])).freedBytes;
  }

  /** BuildKit's arithmetic (cache/manager.go, calculateKeepBytes); undefined: without rules. */
  async #keepBytes(
    { reservedBytes = 0, maxUsedBytes = 0, minFreeBytes = 0 }: CachePrune,
    sumBytes: number,
  ): Promise<number | undefined> {
    if (reservedBytes + maxUsedBytes + minFreeBytes === 0) return undefined;
    let keepBytes = maxUsedBytes;
    if (minFreeBytes > 0) {
      const { bavail, bsize } = await statfs(this.#rooms.folder);
      const missingBytes = minFreeBytes - bavail * bsize;
      const fits = Math.max(0, sumBytes - Math.max(0, missingBytes));
      keepBytes = maxUsedBytes === 0 ? fits : Math.min(maxUsedBytes, fits);
    }
    return Math.max(keepBytes, reservedBytes);
  }
}

function idOf({ key }: StepRecord): string {
  return key.slice(0, idLength);
}
