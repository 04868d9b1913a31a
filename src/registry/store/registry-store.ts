import { createReadStream } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { nowMs } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import { hexOf, isDigest } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import {
  makeFolderDurably,
  readJson,
  removeDurably,
  syncFolder,
  writeDurably,
  writeJsonDurably,
} from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';

/** A manifest as it was pushed. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** What says something of a manifest (OCI distribution specification, "Listing Referrers"). */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface ManifestRecord {
  readonly mediaType: string;
}

/**
 * What a registry keeps: `blobs/<hh>/<hex>` of all repositories together, and in `repositories/<name>/` the links `_blobs`,
 * `_manifests`, `_tags` and `_referrers`, which say what each repository has of them. Names of repositories have no part
 * that begins with `_`. Everything is durable when a promise resolves; a link is written after what it names.
 */
export class RegistryStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<void> {
    await rm(this.uploadsPath, { recursive: true, force: true });
    for (const name of ['blobs', 'repositories', 'uploads']) await makeFolderDurably(join(this.#folder, name));
  }

  /** Files of uploads under way; emptied at the start. */
  get uploadsPath(): string {
    return join(this.#folder, 'uploads');
  }

  get blobsPath(): string {
    return join(this.#folder, 'blobs');
  }

  blobPath(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.blobsPath, hex.slice(0, 2), hex);
  }

  /** Bytes of a blob that the repository has. */
  async blobSize(repository: string, digest: Digest): Promise<number | undefined> {
    if (!(await exists(this.#link(repository, '_blobs', hexOf(digest))))) return undefined;
    const found = await stat(this.blobPath(digest)).catch(nothing);
    return found?.size;
  }

  readBlob(digest: Digest, start: number, end: number): AsyncIterable<Uint8Array> {
    // An empty range has no last byte.
    if (end < start) return emptyStream();
    return createReadStream(this.blobPath(digest), { start, end }) as AsyncIterable<Uint8Array>;
  }

  /** Keeps a blob that somebody counts on from being collected before its manifest comes. */
  async touchBlob(digest: Digest): Promise<void> {
    const now = nowMs() / 1000;
    await utimes(this.blobPath(digest), now, now).catch(nothing);
  }

  /** Takes a verified file in as a blob of the repository. */
  async adoptBlob(repository: string, digest: Digest, file: string): Promise<void> {
    const path = this.blobPath(digest);
    await makeFolderDurably(dirname(path));
    await using handle = await open(file, 'r+');
    await handle.sync();
    await rename(file, path);
    await syncFolder(dirname(path));
    await this.linkBlob(repository, digest);
  }

  async linkBlob(repository: string, digest: Digest): Promise<void> {
    await this.touchBlob(digest);
    await this.#writeLink(this.#link(repository, '_blobs', hexOf(digest)), '');
  }

  async unlinkBlob(repository: string, digest: Digest): Promise<void> {
    await removeDurably(this.#link(repository, '_blobs', hexOf(digest)));
  }

  async putManifest(repository: string, manifest: StoredManifest, tag: string | undefined): Promise<void> {
    const { digest, mediaType, bytes } = manifest;
    const path = this.blobPath(digest);
    await makeFolderDurably(dirname(path));
    await writeDurably(path, bytes);
    await makeFolderDurably(join(this.#repository(repository), '_manifests'));
    await writeJsonDurably(this.#link(repository, '_manifests', hexOf(digest)), { mediaType });
    if (tag !== undefined) await this.#writeLink(this.#link(repository, '_tags', tag), digest);
  }

  /** The manifest of a tag or digest; undefined when the repository has none, or it came to harm. */
  async manifest(repository: string, tagOrDigest: string): Promise<StoredManifest | undefined> {
    const digest = isDigest(tagOrDigest) ? tagOrDigest : await this.tag(repository, tagOrDigest);
    if (digest === undefined) return undefined;
    const record = await readJson(this.#link(repository, '_manifests', hexOf(digest)), isManifestRecord);
    if (record === undefined) return undefined;
    const bytes = await readFile(this.blobPath(digest)).catch(nothing);
    return bytes === undefined ? undefined : { digest, mediaType: record.mediaType, bytes };
  }

  async hasManifest(repository: string, digest: Digest): Promise<boolean> {
    return await exists(this.#link(repository, '_manifests', hexOf(digest)));
  }

  async tag(repository: string, tag: string): Promise<Digest | undefined> {
    const text = await readFile(this.#link(repository, '_tags', tag), 'utf8').catch(nothing);
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  async tags(repository: string): Promise<readonly string[]> {
    return await list(join(this.#repository(repository), '_tags'));
  }

  async removeTag(repository: string, tag: string): Promise<void> {
    await removeDurably(this.#link(repository, '_tags', tag));
  }

  /** Removes a manifest with the tags that name it. */
  async removeManifest(repository: string, digest: Digest): Promise<void> {
    for (const tag of await this.tags(repository)) {
      if ((await this.tag(repository, tag)) === digest) await this.removeTag(repository, tag);
    }
    await removeDurably(this.#link(repository, '_manifests', hexOf(digest)));
  }

  async manifests(repository: string): Promise<readonly Digest[]> {
    return (await list(join(this.#repository(repository), '_manifests'))).map((hex): Digest => `sha256:${hex}`);
  }

  async linkedBlobs(repository: string): Promise<readonly Digest[]> {
    return (await list(join(this.#repository(repository), '_blobs'))).map((hex): Digest => `sha256:${hex}`);
  }

  async addReferrer(repository: string, subject: Digest, referrer: Referrer): Promise<void> {
    const folder = join(this.#repository(repository), '_referrers', hexOf(subject));
    await makeFolderDurably(folder);
    await writeJsonDurably(join(folder, hexOf(referrer.digest)), referrer);
  }

  async removeReferrer(repository: string, subject: Digest, referrer: Digest): Promise<void> {
    await removeDurably(join(this.#repository(repository), '_referrers', hexOf(subject), hexOf(referrer))).catch(
      (error: unknown) => {
        if (!hasCode(error, 'ENOENT')) throw error;
      },
    );
  }

  async referrers(repository: string, subject: Digest): Promise<readonly Referrer[]> {
    const folder = join(this.#repository(repository), '_referrers', hexOf(subject));
    const found = await Promise.all((await list(folder)).map((hex) => readJson(join(folder, hex), isReferrer)));
    return found.filter((one) => one !== undefined);
  }

  /** Names of repositories that have or had something, sorted. */
  async repositories(): Promise<readonly string[]> {
    const names: string[] = [];
    const walk = async (folder: string, name: string): Promise<void> => {
      const parts = await readdir(folder, { withFileTypes: true });
      if (parts.some((part) => part.name.startsWith('_'))) names.push(name);
      for (const part of parts) {
        if (part.isDirectory() && !part.name.startsWith('_')) {
          await walk(join(folder, part.name), name === '' ? part.name : `${name}/${part.name}`);
        }
      }
    };
    await walk(join(this.#folder, 'repositories'), '');
    return names.toSorted();
  }

  async #writeLink(path: string, text: string): Promise<void> {
    if (text === '' && (await exists(path))) return;
    await makeFolderDurably(dirname(path));
    await writeDurably(path, text);
  }

  #repository(name: string): string {
    return join(this.#folder, 'repositories', name);
  }

  #link(repository: string, kind: '_blobs' | '_manifests' | '_tags', name: string): string {
    return join(this.#repository(repository), kind, name);
  }
}

async function list(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  // Half-written files begin with a dot, which neither digests nor tags do.
  return names.filter((name) => !name.startsWith('.')).toSorted();
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(nothing)) !== undefined;
}

function nothing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error;
}

async function* emptyStream(): AsyncGenerator<Uint8Array, void, undefined> {}

function isManifestRecord(value: unknown): value is ManifestRecord {
  return isObject(value) && typeof value['mediaType'] === 'string';
}

function isReferrer(value: unknown): value is Referrer {
  return isObject(value) && typeof value['digest'] === 'string' && isDigest(value['digest']);
}
