import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { mediaTypes } from '#formats/oci.ts';
import type { Digest, ImageConfig, Platform } from '#formats/oci.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers a request instead of the registry and returns true, or returns false. */
export type Intercept = (request: SeenRequest, response: ServerResponse) => boolean;

export interface ServedImage {
  readonly digest: Digest;
  readonly configDigest: Digest;
  readonly layerDigests: readonly Digest[];
  readonly diffIds: readonly Digest[];
}

interface Stored {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/**
 * A registry in this process, on a free port of loopback, that keeps what is pushed in memory. A test scripts its
 * misbehaviour with `intercept` and looks at `seen`.
 */
export class ScriptedRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Buffer>();
  readonly seen: SeenRequest[] = [];
  intercept: Intercept = () => false;
  readonly #repositories = new Map<string, Set<string>>();
  readonly #manifests = new Map<string, Stored>();
  readonly #uploads = new Map<string, Buffer[]>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<ScriptedRegistry> {
    const server = createServer();
    const registry = new ScriptedRegistry(server);
    server.on('request', (request, response) => void registry.#handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  /** `127.0.0.1:<port>`. */
  get host(): string {
    return `127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  putBlob(repository: string, bytes: Buffer): Digest {
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    this.#blobsOf(repository).add(digest);
    return digest;
  }

  putManifest(repository: string, tag: string | undefined, document: object, mediaType: string): Digest {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = sha256(bytes);
    for (const name of [digest, ...(tag === undefined ? [] : [tag])]) {
      this.#manifests.set(`${repository} ${name}`, { bytes, mediaType });
    }
    return digest;
  }

  manifest(repository: string, tagOrDigest: string): Buffer | undefined {
    return this.#manifests.get(`${repository} ${tagOrDigest}`)?.bytes;
  }

  /** Serves an image of layers given as uncompressed tars. */
  putImage(
    repository: string,
    tag: string | undefined,
    tars: readonly Buffer[],
    options: {
      readonly platform?: Platform;
      readonly compress?: (tar: Buffer) => Buffer;
      readonly layerType?: string;
      readonly config?: Partial<ImageConfig>;
    } = {},
  ): ServedImage {
    const compressed = tars.map(options.compress ?? ((tar) => gzipSync(tar)));
    const layerDigests = compressed.map((bytes) => this.putBlob(repository, bytes));
    const diffIds = tars.map(sha256);
    const platform = options.platform ?? { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
    const rootfs = { type: 'layers', diff_ids: diffIds };
    const config = Buffer.from(JSON.stringify({ ...platform, rootfs, ...options.config }));
    const configDigest = this.putBlob(repository, config);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: configDigest, size: config.length },
      layers: layerDigests.map((digest, index) => ({
        mediaType: options.layerType ?? mediaTypes.ociLayerGzip,
        digest,
        size: compressed[index]?.length,
      })),
    };
    return {
      digest: this.putManifest(repository, tag, manifest, mediaTypes.ociManifest),
      configDigest,
      layerDigests,
      diffIds,
    };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const seen = { method, url, authorization: headers.authorization, range: headers.range };
    this.seen.push(seen);
    if (this.intercept(seen, response)) return;
    const { pathname, searchParams } = new URL(url, `http://${this.host}`);
    const [, repository = '', kind = '', rest = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(pathname) ?? [];
    if (pathname === '/v2/') response.end('{}');
    else if (kind === 'manifests' && method === 'PUT') {
      const document = JSON.parse((await bodyOf(request)).toString()) as { mediaType: string };
      const digest = this.putManifest(repository, rest, document, document.mediaType);
      response.writeHead(201, { 'docker-content-digest': digest }).end();
    } else if (kind === 'manifests') this.#sendManifest(repository, rest, method, response);
    else if (kind === 'blobs/uploads') await this.#upload(request, response, repository, rest, searchParams);
    else if (kind === 'blobs') this.#sendBlob(repository, rest, method, headers.range, response);
    else response.writeHead(404).end();
  }

  #sendManifest(repository: string, name: string, method: string, response: ServerResponse): void {
    const stored = this.#manifests.get(`${repository} ${name}`);
    if (stored === undefined) {
      refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
      return;
    }
    response.writeHead(200, {
      'content-type': stored.mediaType,
      'docker-content-digest': sha256(stored.bytes),
      'content-length': stored.bytes.length,
    });
    response.end(method === 'HEAD' ? undefined : stored.bytes);
  }

  #sendBlob(
    repository: string,
    digest: string,
    method: string,
    range: string | undefined,
    response: ServerResponse,
  ): void {
    const bytes = this.#blobsOf(repository).has(digest) ? this.blobs.get(digest) : undefined;
    if (bytes === undefined) {
      refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
      return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = bytes.subarray(start);
    const contentRange = `bytes ${String(start)}-${String(bytes.length - 1)}/${String(bytes.length)}`;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(start > 0 ? { 'content-range': contentRange } : {}),
    });
    response.end(method === 'HEAD' ? undefined : rest);
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    id: string,
    query: URLSearchParams,
  ): Promise<void> {
    const [mount, from] = [query.get('mount'), query.get('from')];
    if (request.method === 'POST' && mount !== null && from !== null && this.#blobsOf(from).has(mount)) {
      this.#blobsOf(repository).add(mount);
      response.writeHead(201).end();
      return;
    }
    const upload = request.method === 'POST' ? randomUUID() : id;
    const parts = this.#uploads.get(upload) ?? [];
    parts.push(await bodyOf(request));
    this.#uploads.set(upload, parts);
    if (request.method === 'PUT') {
      const bytes = Buffer.concat(parts);
      if (sha256(bytes) !== query.get('digest')) {
        refuse(response, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
        return;
      }
      this.putBlob(repository, bytes);
      this.#uploads.delete(upload);
      response.writeHead(201).end();
    } else response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${upload}` }).end();
  }

  #blobsOf(repository: string): Set<string> {
    const blobs = this.#repositories.get(repository) ?? new Set();
    this.#repositories.set(repository, blobs);
    return blobs;
  }
}

/** Answers as registries refuse (OCI distribution specification, "Error Codes"). */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
