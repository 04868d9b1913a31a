import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { nowMs } from '#base/clock.ts';
import { parseManifest } from '#formats/oci-json.ts';
import type { Digest } from '#formats/oci.ts';

import { partsOf } from '../http/manifest-endpoints.ts';
import type { RegistryStore } from './registry-store.ts';

export interface GarbageReport {
  readonly blobs: number;
  readonly manifests: number;
  readonly bytes: number;
}

export interface GarbageOptions {
  /** Also remove manifests that no tag, no index and no subject keeps. */
  readonly untagged: boolean;
  /** Blobs and manifests younger than this may belong to a push under way. */
  readonly graceMs: number;
}

/**
 * Removes blobs that no manifest of any repository names. Pushes go on meanwhile: what they send is young, and what they
 * find is touched. The caller keeps manifests from coming and going.
 */
export async function collectGarbage(
  store: RegistryStore,
  { untagged, graceMs }: GarbageOptions,
  signal: AbortSignal,
): Promise<GarbageReport> {
  const needed = new Set<Digest>();
  let manifests = 0;
  for (const repository of await store.repositories()) {
    signal.throwIfAborted();
    if (untagged) manifests += await removeUntagged(store, repository, graceMs);
    const blobs = new Set<Digest>();
    for (const digest of await store.manifests(repository)) {
      needed.add(digest);
      const manifest = await store.manifest(repository, digest);
      if (manifest === undefined) continue;
      for (const blob of partsOf(parseManifest(manifest.bytes, manifest.mediaType)).blobs) blobs.add(blob);
    }
    for (const blob of blobs) needed.add(blob);
    for (const blob of await store.linkedBlobs(repository)) {
      if (!blobs.has(blob) && (await isOld(store.blobPath(blob), graceMs))) await store.unlinkBlob(repository, blob);
    }
  }
  return { ...(await sweep(store, needed, graceMs, signal)), manifests };
}

async function removeUntagged(store: RegistryStore, repository: string, graceMs: number): Promise<number> {
  const kept = new Set<Digest>();
  const keep = async (digest: Digest): Promise<void> => {
    if (kept.has(digest)) return;
    kept.add(digest);
    const manifest = await store.manifest(repository, digest);
    const document = manifest === undefined ? undefined : parseManifest(manifest.bytes, manifest.mediaType);
    for (const inner of document === undefined ? [] : partsOf(document).manifests) await keep(inner);
    for (const referrer of await store.referrers(repository, digest)) await keep(referrer.digest);
  };
  for (const tag of await store.tags(repository)) {
    const digest = await store.tag(repository, tag);
    if (digest !== undefined) await keep(digest);
  }
  let removed = 0;
  for (const digest of await store.manifests(repository)) {
    if (kept.has(digest) || !(await isOld(store.blobPath(digest), graceMs))) continue;
    const manifest = await store.manifest(repository, digest);
    const subject =
      manifest === undefined ? undefined : partsOf(parseManifest(manifest.bytes, manifest.mediaType)).subject;
    await store.removeManifest(repository, digest);
    if (subject !== undefined) await store.removeReferrer(repository, subject.digest, digest);
    removed += 1;
  }
  return removed;
}

async function sweep(
  store: RegistryStore,
  needed: ReadonlySet<Digest>,
  graceMs: number,
  signal: AbortSignal,
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const total = { blobs: 0, bytes: 0 };
  for (const shard of await readdir(store.blobsPath)) {
    for (const hex of await readdir(join(store.blobsPath, shard))) {
      signal.throwIfAborted();
      const path = join(store.blobsPath, shard, hex);
      if (needed.has(`sha256:${hex}`) || !(await isOld(path, graceMs))) continue;
      total.bytes += (await stat(path)).size;
      total.blobs += 1;
      await rm(path, { force: true });
    }
  }
  return total;
}

async function isOld(path: string, graceMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || nowMs() - found.mtimeMs >= graceMs;
}
