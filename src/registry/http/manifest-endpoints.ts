import { createHash } from 'node:crypto';

import { KeyedLock } from '#base/keyed-lock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import { parseManifest } from '#formats/oci-json.ts';
import type { ManifestDocument } from '#formats/oci-json.ts';
import { isDigest, mediaTypes } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';

import { RegistryError } from '../registry-error.ts';
import type { Referrer, RegistryStore, StoredManifest } from '../store/registry-store.ts';
import { emptyReply, jsonReply } from './reply.ts';
import type { RegistryCall, RegistryReply } from './reply.ts';

/** OCI distribution specification, "Pushing Manifests": a registry should take up to 4 MiB. */
const manifestBytesMost = 4 * 1024 * 1024;

/** GET and HEAD of a manifest. */
export function manifestReply(call: RegistryCall, { digest, mediaType, bytes }: StoredManifest): RegistryReply {
  const headers = {
    'content-type': mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  };
  return call.method === 'HEAD' ? { status: 200, headers } : { status: 200, headers, body: bytes };
}

export function unknownManifest(tagOrDigest: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', `this repository has no manifest ${tagOrDigest}`);
}

/** Manifests on their way in and out, and what says something of them. */
export class ManifestEndpoints {
  readonly #store: RegistryStore;
  readonly #changes = new KeyedLock();

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  /** Runs `work` while no manifest comes or goes. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    return await this.#changes.run('manifests', work);
  }

  async put(call: RegistryCall, repository: string, tagOrDigest: string): Promise<RegistryReply> {
    const bytes = await readBody(call.body);
    const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (isDigest(tagOrDigest) && tagOrDigest !== digest) {
      throw new RegistryError('DIGEST_INVALID', `the bytes that came have ${digest}`);
    }
    const document = parse(bytes, call.headers['content-type']);
    const { subject } = partsOf(document);
    await this.exclusively(async () => {
      await this.#requireParts(repository, document);
      const tag = isDigest(tagOrDigest) ? undefined : tagOrDigest;
      if (subject !== undefined) {
        await this.#store.addReferrer(repository, subject.digest, referrerOf(document, digest, bytes.length));
      }
      await this.#store.putManifest(repository, { digest, mediaType: document.mediaType, bytes }, tag);
    });
    return emptyReply(201, {
      location: `/v2/${repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      ...(subject === undefined ? {} : { 'oci-subject': subject.digest }),
    });
  }

  async remove(repository: string, tagOrDigest: string): Promise<RegistryReply> {
    await this.exclusively(async () => {
      const found = await this.#store.manifest(repository, tagOrDigest);
      if (found === undefined) throw unknownManifest(tagOrDigest);
      if (!isDigest(tagOrDigest)) return await this.#store.removeTag(repository, tagOrDigest);
      const { subject } = partsOf(parse(found.bytes, found.mediaType));
      await this.#store.removeManifest(repository, found.digest);
      if (subject !== undefined) await this.#store.removeReferrer(repository, subject.digest, found.digest);
    });
    return emptyReply(202);
  }

  async referrers(call: RegistryCall, repository: string, subject: Digest): Promise<RegistryReply> {
    const wanted = call.query.get('artifactType');
    const all = await this.#store.referrers(repository, subject);
    const manifests = all.filter(({ artifactType }) => wanted === null || artifactType === wanted);
    return jsonReply(
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
      { 'content-type': mediaTypes.ociIndex, ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }) },
    );
  }

  /** What a manifest names must be there before it; its subject may come later. */
  async #requireParts(repository: string, document: ManifestDocument): Promise<void> {
    const { blobs, manifests } = partsOf(document);
    for (const digest of blobs) {
      if ((await this.#store.blobSize(repository, digest)) !== undefined) continue;
      throw new RegistryError('MANIFEST_BLOB_UNKNOWN', `the manifest names blob ${digest}, which is not here`);
    }
    for (const digest of manifests) {
      if (await this.#store.hasManifest(repository, digest)) continue;
      throw new RegistryError('MANIFEST_BLOB_UNKNOWN', `the index names manifest ${digest}, which is not here`);
    }
  }
}

/** What a manifest needs. */
export function partsOf(document: ManifestDocument): {
  readonly blobs: readonly Digest[];
  readonly manifests: readonly Digest[];
  readonly subject: { readonly digest: Digest } | undefined;
} {
  if (document.kind === 'index') {
    const { manifests, subject } = document.index;
    return { blobs: [], manifests: manifests.map(({ digest }) => digest), subject };
  }
  const { config, layers, subject } = document.manifest;
  // Foreign layers are fetched from elsewhere (image-spec, layer.md, "Non-Distributable Layers").
  const own = layers.filter(({ mediaType }) => !/nondistributable|foreign/.test(mediaType));
  return { blobs: [config, ...own].map(({ digest }) => digest), manifests: [], subject };
}

function referrerOf(document: ManifestDocument, digest: Digest, size: number): Referrer {
  const { mediaType } = document;
  const { artifactType, annotations } = document.kind === 'index' ? document.index : document.manifest;
  const type = artifactType ?? (document.kind === 'manifest' ? document.manifest.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function parse(bytes: Uint8Array, contentType: string | undefined): ManifestDocument {
  try {
    return parseManifest(bytes, contentType);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new RegistryError('MANIFEST_INVALID', messageOf(error), { cause: error });
  }
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > manifestBytesMost) {
      throw new RegistryError('SIZE_INVALID', `a manifest has at most ${String(manifestBytesMost)} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}
