import type { Digest } from '#formats/oci.ts';

import type { CacheEntry } from '../build/builder.ts';

/** What may be on the disk, and for how long. */
export interface CollectionRules {
  /** Bytes that the build cache may have of its own. */
  readonly buildCacheMostBytes: number;
  /** Bytes of the filesystem that shall be free; below that, what nobody uses goes whatever its age. */
  readonly freeLeastBytes: number;
  /** Milliseconds that an image without a name may be unused; undefined: for ever. */
  readonly danglingMostMs: number | undefined;
  /** The same for images with names. */
  readonly unusedMostMs: number | undefined;
}

export interface CollectableImage {
  readonly id: Digest;
  /** '' when nothing names it. */
  readonly name: string;
  readonly topLayer: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly unusedSinceMs: number;
  /** A container is made of it, or another image is built on it. */
  readonly inUse: boolean;
}

/** What there is. */
export interface CollectionState {
  readonly nowMs: number;
  readonly freeBytes: number;
  readonly images: readonly CollectableImage[];
  /** Least recently used first. */
  readonly cache: readonly CacheEntry[];
  readonly layer: (id: Digest) => { readonly parent: Digest | undefined; readonly sizeBytes: number } | undefined;
}

/** Something to remove. */
export interface Collectable {
  readonly kind: 'image' | 'build cache';
  readonly id: string;
  readonly name: string;
  /** Bytes that come back, when all before it went too: what others have as well is not among them. */
  readonly freesBytes: number;
  readonly why: string;
}

/** What is to be removed, in order. Nothing that is used is ever among it. Pure. */
export function planCollection(rules: CollectionRules, state: CollectionState): readonly Collectable[] {
  const images = planImages(rules, state);
  const freedBytes = images.reduce((sum, { freesBytes }) => sum + freesBytes, 0);
  return [...images, ...planCache(rules, state, freedBytes)];
}

function planImages(rules: CollectionRules, state: CollectionState): readonly Collectable[] {
  const owners = countOwners(state);
  const isTight = state.freeBytes < rules.freeLeastBytes;
  const collected: Collectable[] = [];
  const oldestFirst = state.images.toSorted((one, other) => one.unusedSinceMs - other.unusedSinceMs);
  for (const image of oldestFirst) {
    const why = image.inUse ? undefined : reasonFor(image, rules, state.nowMs, isTight);
    if (why === undefined) continue;
    const freesBytes = release(image.topLayer, owners, state);
    collected.push({ kind: 'image', id: image.id, name: image.name || '<none>', freesBytes, why });
  }
  return collected;
}

function reasonFor(
  { name, unusedSinceMs }: CollectableImage,
  rules: CollectionRules,
  nowMs: number,
  isTight: boolean,
): string | undefined {
  const ageMs = nowMs - unusedSinceMs;
  const mostMs = name === '' ? rules.danglingMostMs : rules.unusedMostMs;
  if (mostMs === undefined) return undefined;
  const what = name === '' ? 'nothing names or uses it' : 'no container uses it';
  if (ageMs >= mostMs) return `${what} since ${hours(ageMs)}, and ${hours(mostMs)} are allowed`;
  return isTight && name === '' ? `${what}, and the disk is nearly full` : undefined;
}

/** How many images stand on each layer. */
function countOwners({ images, layer }: CollectionState): Map<Digest, number> {
  const owners = new Map<Digest, number>();
  for (const { topLayer } of images)
    for (let id = topLayer; id !== undefined; id = layer(id)?.parent) owners.set(id, (owners.get(id) ?? 0) + 1);
  return owners;
}

/** One owner less for a layer and those below it; returns the bytes of those that have none any more. */
function release(top: Digest | undefined, owners: Map<Digest, number>, { layer }: CollectionState): number {
  let freedBytes = 0;
  for (let id = top; id !== undefined; id = layer(id)?.parent) {
    const left = (owners.get(id) ?? 1) - 1;
    owners.set(id, left);
    if (left === 0) freedBytes += layer(id)?.sizeBytes ?? 0;
  }
  return freedBytes;
}

/** Entries that nothing stands on, the least recently used first, until the cache is small and the disk free enough. */
function planCache(rules: CollectionRules, state: CollectionState, freedBytes: number): readonly Collectable[] {
  const ownBytes = ({ shared, sizeBytes }: CacheEntry): number => (shared ? 0 : sizeBytes);
  let usedBytes = state.cache.reduce((sum, entry) => sum + ownBytes(entry), 0);
  let freeBytes = state.freeBytes + freedBytes;
  const collected: Collectable[] = [];
  const left = new Map(state.cache.map((entry) => [entry.id, entry]));
  const children = new Map<string, number>();
  for (const { parents } of state.cache) for (const id of parents) children.set(id, (children.get(id) ?? 0) + 1);
  const isTooLarge = (): boolean => usedBytes > rules.buildCacheMostBytes;
  const isTight = (): boolean => freeBytes < rules.freeLeastBytes;
  while (isTooLarge() || isTight()) {
    const entry = [...left.values()].find(({ id, inUse }) => !inUse && (children.get(id) ?? 0) === 0);
    if (entry === undefined) break;
    const why = isTooLarge()
      ? `the build cache has ${megabytes(usedBytes)}, more than ${megabytes(rules.buildCacheMostBytes)}`
      : `only ${megabytes(freeBytes)} of the disk are free, ${megabytes(rules.freeLeastBytes)} shall be`;
    const freesBytes = ownBytes(entry);
    collected.push({ kind: 'build cache', id: entry.id, name: entry.description, freesBytes, why });
    left.delete(entry.id);
    for (const id of entry.parents) children.set(id, (children.get(id) ?? 1) - 1);
    usedBytes -= freesBytes;
    freeBytes += freesBytes;
  }
  return collected;
}

function hours(ms: number): string {
  return `${String(Math.floor(ms / 3_600_000))} h`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
