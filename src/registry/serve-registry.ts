import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import { messageOf, reasonOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import type { RegistrySession } from '#engine/images/registry/registry-session.ts';
import { hasCode } from '#sys/errno.ts';

import { Htpasswd } from './access/htpasswd.ts';
import { listBlobs } from './cache/cache-budget.ts';
import { PullThrough } from './cache/pull-through.ts';
import { UploadEndpoints } from './http/blob-endpoints.ts';
import { ManifestEndpoints } from './http/manifest-endpoints.ts';
import type { RegistryReply } from './http/reply.ts';
import { routeRequest } from './http/route-request.ts';
import type { Endpoints } from './http/route-request.ts';
import { RegistryError } from './registry-error.ts';
import { collectGarbage } from './store/collect-garbage.ts';
import type { GarbageOptions, GarbageReport } from './store/collect-garbage.ts';
import { RegistryStore } from './store/registry-store.ts';
import { Uploads } from './store/uploads.ts';

export interface RegistryOptions {
  /** Absolute; the registry's own. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Paths of PEM files; without them it speaks plain HTTP. */
  readonly tls: { readonly certificatePath: string; readonly keyPath: string } | undefined;
  /** Without it everybody may do everything. */
  readonly htpasswdPath: string | undefined;
  /** Registries to fetch from what is not here, and how. */
  readonly upstreams: readonly string[];
  readonly cacheBytes: number;
  readonly connect: (domain: string) => RegistrySession;
  readonly logger: Logger;
}

export interface RegistryStatus {
  readonly address: string;
  readonly repositories: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly uploads: number;
  /** Of what it fetched from other registries. */
  readonly cachedBytes: number;
}

export interface RunningRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:5000`. */
  readonly address: string;
  status(): Promise<RegistryStatus>;
  collectGarbage(options: GarbageOptions, signal: AbortSignal): Promise<GarbageReport>;
}

const maximumConnections = 1024;
/** A client that sends and takes nothing for so long is cut off. */
const idleMs = 120_000;

/** Serves a registry of the OCI distribution specification 1.1 until it is disposed of. Throws Busy when it cannot listen. */
export async function serveRegistry(options: RegistryOptions): Promise<RunningRegistry> {
  await using opened = new AsyncDisposableStack();
  const { logger, upstreams } = options;
  const store = new RegistryStore(join(options.dataDir, 'store'));
  await store.open();
  const uploads = opened.use(new Uploads(store.uploadsPath));
  const cacheStore = new RegistryStore(join(options.dataDir, 'cache'));
  await cacheStore.open();
  const cacheOptions = { store: cacheStore, budgetBytes: options.cacheBytes, logger, connect: options.connect };
  const cache = opened.use(await PullThrough.open(cacheOptions));
  const manifests = new ManifestEndpoints(store);
  const endpoints = { store, manifests, uploads: new UploadEndpoints(store, uploads), cache, upstreams };
  const access = options.htpasswdPath === undefined ? undefined : new Htpasswd(options.htpasswdPath);
  const server = await createListener(options, (request, response) =>
    answer(endpoints, access, logger, request, response),
  );
  const address = await listen(server, options);
  opened.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  logger.info('registry listens', { address });
  const kept = opened.move();
  return {
    address,
    status: async () => {
      const blobs = await listBlobs(store.blobsPath);
      return {
        address,
        repositories: (await store.repositories()).length,
        blobs: blobs.length,
        bytes: blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        uploads: uploads.count,
        cachedBytes: cache.sizeBytes,
      };
    },
    collectGarbage: (garbage, signal) => manifests.exclusively(() => collectGarbage(store, garbage, signal)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

async function createListener({ tls }: RegistryOptions, listener: Listener): Promise<Server> {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => void listener(request, response);
  // Blobs take as long as they take.
  const limits = { requestTimeout: 0, keepAliveTimeout: idleMs };
  const server =
    tls === undefined
      ? createServer(limits, onRequest)
      : createSecureServer(
          { ...limits, cert: await readFile(tls.certificatePath), key: await readFile(tls.keyPath) },
          onRequest,
        );
  server.maxConnections = maximumConnections;
  server.setTimeout(idleMs);
  return server;
}

async function listen(server: Server, { host, port, tls }: RegistryOptions): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const state = hasCode(error, 'EADDRINUSE') ? 'the port is in use' : messageOf(error);
      const text = `Cannot start the registry on ${host}:${String(port)}: ${state}; set registry.listen`;
      reject(new StatusError('Busy', text, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${String(actual)}`;
}

async function answer(
  endpoints: Endpoints,
  access: Htpasswd | undefined,
  logger: Logger,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client has left')));
  const { method = '', headers } = request;
  try {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry');
    await access?.require(headers.authorization, gone.signal);
    const call = { method, query: searchParams, headers, body: request, signal: gone.signal };
    await send(response, await routeRequest(endpoints, call, decodeURIComponent(pathname)));
  } catch (error) {
    if (gone.signal.aborted) return;
    const isOurs = !(error instanceof RegistryError) && reasonOf(error) === 'Internal' && !(error instanceof URIError);
    if (isOurs) logger.error('registry request failed', { method, url: request.url, error });
    refuse(request, response, error);
  }
}

async function send(response: ServerResponse, { status, headers, body }: RegistryReply): Promise<void> {
  response.writeHead(status, { 'docker-distribution-api-version': 'registry/2.0', ...headers });
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) response.end(body);
  else await pipeline(Readable.from(body, { objectMode: false }), response);
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // Too late to say anything: the client sees that bytes are missing.
  if (response.headersSent) return void response.destroy();
  const full = hasCode(error, 'ENOSPC', 'EDQUOT') ? 'no space is left on the device' : undefined;
  const known = error instanceof RegistryError ? error : undefined;
  const { status, body, code } = known ?? new RegistryError('UNAVAILABLE', full ?? 'the registry failed; see its log');
  response.writeHead(status, {
    'content-type': 'application/json',
    'docker-distribution-api-version': 'registry/2.0',
    // What is left of a body that was refused is not read.
    ...(request.complete ? {} : { connection: 'close' }),
    ...(code === 'UNAUTHORIZED' ? { 'www-authenticate': 'Basic realm="slipway registry"' } : {}),
  });
  response.end(body);
}
