import { StatusError } from '#base/errors.ts';
import { parseManifest } from '#formats/oci-json.ts';
import type { ManifestDocument } from '#formats/oci-json.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { Descriptor, Digest } from '#formats/oci.ts';
import { familiarName, familiarReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { digestOf } from '../store/chain.ts';
import type { HttpResponse } from './http-transport.ts';
import { discardBody, readBody } from './read-body.ts';
import { RegistryRefusal } from './registry-error.ts';
import type { RegistrySession } from './registry-session.ts';

export interface FetchedManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly document: ManifestDocument;
}

/** OCI distribution specification, "Pushing Manifests": a registry should take up to 4 MiB. */
const manifestBytesMost = 4 * 1024 * 1024;
const configBytesMost = 8 * 1024 * 1024;
const accepted = [mediaTypes.ociIndex, mediaTypes.ociManifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest].join(
  ', ',
);

/** One repository of a registry: its manifests and small blobs. */
export class Repository {
  readonly session: RegistrySession;
  readonly path: string;
  readonly #reference: Reference;
  readonly #scopes: readonly string[];

  constructor(session: RegistrySession, reference: Reference, actions: 'pull' | 'pull,push') {
    this.session = session;
    this.path = reference.path;
    this.#reference = reference;
    this.#scopes = [`repository:${reference.path}:${actions}`];
  }

  get scopes(): readonly string[] {
    return this.#scopes;
  }

  /** The digest of what a tag names now; undefined when the registry does not say. */
  async headManifest(tagOrDigest: string, signal: AbortSignal): Promise<string | undefined> {
    const request = {
      method: 'HEAD',
      target: this.#manifestTarget(tagOrDigest),
      headers: { accept: accepted },
    } as const;
    const response = await this.session.request({ ...request, scopes: this.#scopes, expected: [200] }, signal);
    await discardBody(response);
    return header(response.headers['docker-content-digest']);
  }

  /** Throws NotFound in Docker's words when the registry has none; Damaged when the bytes are not those asked for. */
  async getManifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest> {
    const request = {
      method: 'GET',
      target: this.#manifestTarget(tagOrDigest),
      headers: { accept: accepted },
    } as const;
    const response = await this.refusing(() =>
      this.session.request({ ...request, scopes: this.#scopes, expected: [200] }, signal),
    );
    const name = familiarReference(this.#reference);
    const bytes = await readBody(response, manifestBytesMost, `the manifest of ${name}`);
    const digest = digestOf(bytes);
    const said = tagOrDigest.includes(':') ? tagOrDigest : header(response.headers['docker-content-digest']);
    if (said !== undefined && said !== digest) {
      throw new StatusError('Damaged', `manifest verification failed for digest ${said}: the bytes have ${digest}`);
    }
    return { bytes, digest, document: parseManifest(bytes, response.headers['content-type']) };
  }

  async putManifest(tagOrDigest: string, bytes: Uint8Array, mediaType: string, signal: AbortSignal): Promise<Digest> {
    const request = {
      method: 'PUT',
      target: this.#manifestTarget(tagOrDigest),
      headers: { 'content-type': mediaType },
      body: bytes,
    } as const;
    const response = await this.refusing(() =>
      this.session.request({ ...request, scopes: this.#scopes, expected: [200, 201, 202] }, signal),
    );
    await discardBody(response);
    return digestOf(bytes);
  }

  /** The bytes of an image's configuration. */
  async getConfig(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#getBlob(descriptor, configBytesMost, signal);
    if (bytes.length === descriptor.size && digestOf(bytes) === descriptor.digest) return bytes;
    throw new StatusError('Damaged', `image config verification failed for digest ${descriptor.digest}`);
  }

  /** The bytes of a blob that the caller knows to be small enough. Throws Damaged for others than its descriptor says. */
  async getSmallBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#getBlob(descriptor, descriptor.size, signal);
    if (bytes.length === descriptor.size && digestOf(bytes) === descriptor.digest) return bytes;
    throw new StatusError('Damaged', `verification failed for digest ${descriptor.digest}: the bytes have another`);
  }

  /** Whether the registry has the blob in this repository. */
  async hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean> {
    const response = await this.#headBlob(digest, signal);
    return response.status === 200;
  }

  /** Bytes of a blob, undefined when the repository does not have it. */
  async blobSize(digest: Digest, signal: AbortSignal): Promise<number | undefined> {
    const response = await this.#headBlob(digest, signal);
    const length = Number(response.headers['content-length'] ?? Number.NaN);
    if (response.status === 404) return undefined;
    if (Number.isSafeInteger(length)) return length;
    throw new StatusError('Damaged', `Cannot fetch ${digest}: the registry does not say how many bytes it has`);
  }

  blobTarget(digest: Digest): string {
    return `/v2/${this.path}/blobs/${digest}`;
  }

  /** Runs work on this repository with the registry's refusals said as Docker's clients know them. */
  async refusing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof RegistryRefusal ? this.#explain(error) : error;
    }
  }

  async #getBlob({ digest }: Descriptor, limitBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const target = this.blobTarget(digest);
    const response = await this.refusing(() =>
      this.session.request({ method: 'GET', target, scopes: this.#scopes, expected: [200] }, signal),
    );
    return await readBody(response, limitBytes, `the blob ${digest}`);
  }

  async #headBlob(digest: Digest, signal: AbortSignal): Promise<HttpResponse> {
    const request = { method: 'HEAD', target: this.blobTarget(digest), expected: [200, 404] } as const;
    const response = await this.refusing(() => this.session.request({ ...request, scopes: this.#scopes }, signal));
    await discardBody(response);
    return response;
  }

  #explain(error: RegistryRefusal): StatusError {
    const { status, code, message, path } = error.refusal;
    const said = [code, message].filter((part) => part !== '').join(': ');
    const name = familiarName(this.#reference);
    if (status === 401 && this.session.hasCredentials) {
      const why = said === '' ? 'unauthorized: authentication required' : said;
      return new StatusError('Unauthorized', `${why}; log in to ${this.session.domain} again`);
    }
    if (status === 401 || status === 403) {
      // Answers to HEAD have no words.
      const plain =
        status === 401 ? 'unauthorized: authentication required' : 'denied: requested access to the resource is denied';
      const why = said === '' ? plain : said;
      const text = `pull access denied for ${name}, repository does not exist or may require 'docker login': ${why}`;
      return this.#scopes.some((scope) => scope.endsWith('push'))
        ? new StatusError(status === 401 ? 'Unauthorized' : 'Forbidden', why)
        : new StatusError('NotFound', text);
    }
    if (status === 404 && path.includes('/manifests/')) {
      const missing =
        code === 'name unknown' ? `repository ${name}` : `manifest for ${familiarReference(this.#reference)}`;
      return new StatusError('NotFound', `${missing} not found: ${said === '' ? 'manifest unknown' : said}`);
    }
    return error.toStatusError();
  }

  #manifestTarget(tagOrDigest: string): string {
    return `/v2/${this.path}/manifests/${tagOrDigest}`;
  }
}

function header(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
