import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { reasonOf, StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { Logger } from '#base/logger.ts';
import { downloadBlob } from '#engine/images/registry/blob-download.ts';
import type { RegistrySession } from '#engine/images/registry/registry-session.ts';
import { Repository } from '#engine/images/registry/repository.ts';
import { isDigest, mediaTypes } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';

import { RegistryError } from '../registry-error.ts';
import type { RegistryStore, StoredManifest } from '../store/registry-store.ts';
import { CacheBudget } from './cache-budget.ts';
import { GrowingFile } from './growing-file.ts';

export interface PullThroughOptions {
  /** The cache's own. */
  readonly store: RegistryStore;
  readonly budgetBytes: number;
  readonly connect: (domain: string) => RegistrySession;
  readonly logger: Logger;
}

/** A repository of another registry. */
export interface UpstreamRepository {
  readonly domain: string;
  readonly path: string;
}

/** A blob that is here, or on its way. */
export interface CachedBlob {
  readonly sizeBytes: number;
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** Downloads at once, over all repositories. */
const downloadsMost = 16;

/**
 * What other registries have, fetched when it is asked for and kept within a budget. Tags are looked up each time, and
 * given from the cache when their registry is away; several clients that ask for one blob share its download.
 */
export class PullThrough implements AsyncDisposable {
  readonly #options: PullThroughOptions;
  readonly #budget: CacheBudget;
  readonly #downloads = new Map<Digest, { readonly file: GrowingFile; readonly done: Promise<void> }>();
  readonly #closing = new AbortController();

  private constructor(options: PullThroughOptions, budget: CacheBudget) {
    this.#options = options;
    this.#budget = budget;
  }

  static async open(options: PullThroughOptions): Promise<PullThrough> {
    return new PullThrough(options, await CacheBudget.open(options.store.blobsPath, options.budgetBytes));
  }

  get sizeBytes(): number {
    return this.#budget.heldBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new StatusError('Unavailable', 'the registry is being closed'));
    await Promise.allSettled([...this.#downloads.values()].map(({ done }) => done));
  }

  /** Throws RegistryError MANIFEST_UNKNOWN, UNAVAILABLE. */
  async manifest(from: UpstreamRepository, tagOrDigest: string, signal: AbortSignal): Promise<StoredManifest> {
    const { store, logger } = this.#options;
    const local = localName(from);
    const kept = await store.manifest(local, tagOrDigest);
    if (kept !== undefined && isDigest(tagOrDigest)) return kept;
    try {
      const repository = this.#connect(from);
      const now = kept === undefined ? undefined : await repository.headManifest(tagOrDigest, signal);
      if (kept !== undefined && kept.digest === now) return kept;
      const { digest, bytes, document } = await repository.getManifest(tagOrDigest, signal);
      const manifest = { digest, bytes, mediaType: document.mediaType };
      await store.putManifest(local, manifest, isDigest(tagOrDigest) ? undefined : tagOrDigest);
      return manifest;
    } catch (error) {
      signal.throwIfAborted();
      const isAway = ['Unavailable', 'Timeout'].includes(reasonOf(error));
      if (kept === undefined || !isAway) throw explain(error, from, 'MANIFEST_UNKNOWN');
      logger.warn('a registry is away: a tag is given as it was', { ...from, tag: tagOrDigest, error });
      return kept;
    }
  }

  /** Throws RegistryError BLOB_UNKNOWN, UNAVAILABLE. */
  async blob(from: UpstreamRepository, digest: Digest, signal: AbortSignal): Promise<CachedBlob> {
    const { store } = this.#options;
    const sizeBytes = await store.blobSize(localName(from), digest);
    if (sizeBytes !== undefined) {
      await store.touchBlob(digest);
      return { sizeBytes, read: (start, end) => store.readBlob(digest, start, end) };
    }
    const running = this.#downloads.get(digest);
    if (running !== undefined) return cachedBlob(running.file);
    if (this.#downloads.size >= downloadsMost) {
      throw new RegistryError('TOOMANYREQUESTS', `more than ${String(downloadsMost)} blobs are being fetched`);
    }
    const repository = this.#connect(from);
    const size = await repository.blobSize(digest, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw explain(error, from, 'BLOB_UNKNOWN');
    });
    if (size === undefined) throw new RegistryError('BLOB_UNKNOWN', `${from.domain} has no blob ${digest}`);
    // Another request may have begun the download meanwhile.
    return cachedBlob(this.#downloads.get(digest)?.file ?? this.#begin(repository, from, digest, size));
  }

  #begin(repository: Repository, from: UpstreamRepository, digest: Digest, size: number): GrowingFile {
    const file = new GrowingFile(join(this.#options.store.uploadsPath, newId()), size);
    const done = this.#download(repository, from, digest, file).finally(() => this.#downloads.delete(digest));
    this.#downloads.set(digest, { file, done });
    return file;
  }

  /** Never rejects: whoever reads the file hears of a failure. */
  async #download(repository: Repository, from: UpstreamRepository, digest: Digest, file: GrowingFile): Promise<void> {
    const { store, logger } = this.#options;
    const descriptor = { digest, size: file.sizeBytes, mediaType: mediaTypes.ociLayer };
    try {
      const onBytes = (bytes: number): void => file.grow(bytes);
      await downloadBlob(repository, descriptor, file.path, onBytes, this.#closing.signal);
      await store.adoptBlob(localName(from), digest, file.path);
      file.movedTo(store.blobPath(digest));
      await this.#budget.add(file.sizeBytes);
    } catch (error) {
      file.fail(error);
      await rm(file.path, { force: true });
      logger.warn('a blob cannot be fetched', { ...from, digest, error });
    }
  }

  #connect({ domain, path }: UpstreamRepository): Repository {
    const reference = { domain, path, tag: undefined, digest: undefined };
    return new Repository(this.#options.connect(domain), reference, 'pull');
  }
}

function cachedBlob(file: GrowingFile): CachedBlob {
  return { sizeBytes: file.sizeBytes, read: (start, end) => file.read(start, end) };
}

/** The name of a repository of another registry in the cache. */
function localName({ domain, path }: UpstreamRepository): string {
  return `${domain.replace(':', '_')}/${path}`;
}

function explain(error: unknown, { domain }: UpstreamRepository, code: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN'): unknown {
  const reason = reasonOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (['NotFound', 'Unauthorized', 'Forbidden'].includes(reason)) return new RegistryError(code, message);
  if (reason === 'Internal') return error;
  return new RegistryError('UNAVAILABLE', `${domain}: ${message}`, { cause: error });
}
