import { createServer } from 'node:http';
import type { Server } from 'node:http';

import { deadline } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';

import { apiRoutes } from './api-routes.ts';
import type { VersionInfo } from './context.ts';
import { commonHeaders, resolveTarget } from './http/dispatcher.ts';
import { listenOnSocket, type SocketAccess, usualAccess } from './http/listen.ts';
import { routeTable } from './http/route.ts';
import type { Service } from './http/serve-request.ts';
import { serveRequest } from './http/serve-request.ts';
import { serveUpgrade } from './http/serve-upgrade.ts';
import { guardRoutes } from './policy/guard-routes.ts';
import type { Role } from './policy/role.ts';
import { Uploads } from './uploads.ts';

/** Connections at once; further ones are refused. */
const maximumConnections = 4096;
/** A client may keep an idle connection for as long. */
const idleMs = 10 * 60_000;
/** How long `close` waits for handlers to notice that they shall stop. */
const closeMs = 5_000;

export interface DockerOptions {
  readonly engine: Engine;
  /** Absolute, at most 107 bytes. */
  readonly socketPath: string;
  /** Further sockets, whose clients may do less. */
  readonly sockets?: readonly RoleSocket[];
  readonly logger: Logger;
  readonly versionInfo: VersionInfo;
}

/** A socket of the API for some of its users. */
export interface RoleSocket extends SocketAccess {
  readonly path: string;
  readonly role: Role;
}

/**
 * Serves the Docker Engine API on a unix socket until it is disposed of or `signal` aborts. Disposing ends all requests
 * (their handlers' signals abort) and removes the socket; containers run on. Throws Conflict or InvalidArgument when it
 * cannot listen.
 */
export async function serveDocker(options: DockerOptions, signal: AbortSignal): Promise<AsyncDisposable> {
  signal.throwIfAborted();
  const uploads = await Uploads.open(options.engine.options.dataDir);
  const context = { ...options, uploads };
  const routes = apiRoutes(context);
  const requests = new RequestScope();
  const servers: Server[] = [];
  const main: RoleSocket = { path: options.socketPath, role: { kind: 'admin' }, ...usualAccess };
  try {
    for (const socket of [main, ...(options.sockets ?? [])]) {
      const service: Service = {
        routes: routeTable(guardRoutes(context, routes, socket.role)),
        headers: commonHeaders(options.versionInfo.version),
        logger: options.logger,
      };
      const server = createApiServer(service, requests);
      await listenOnSocket(server, socket.path, socket === main ? usualAccess : socket);
      servers.push(server);
      options.logger.info('docker api listens', { path: socket.path, role: socket.role.kind });
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServers(servers, requests));
  const onAbort = (): void => void close();
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', onAbort);
      await close();
    },
  };
}

function createApiServer(service: Service, requests: RequestScope): Server {
  const server = createServer({
    keepAliveTimeout: idleMs,
    // Uploads (build contexts, images) take as long as they take.
    requestTimeout: 0,
    shouldUpgradeCallback: (request) => hijacks(service, request.method ?? '', request.url ?? ''),
  });
  server.maxConnections = maximumConnections;
  server.on('request', (request, response) => {
    response.on('error', () => {});
    requests.run(response, (signal) => serveRequest(service, request, response, signal));
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    requests.run(socket, (signal) => serveUpgrade(service, request, socket, head, signal));
  });
  return server;
}

/** Only endpoints that leave HTTP are given the raw connection; others ignore the header, as RFC 9110 7.8 allows. */
function hijacks(service: Service, method: string, url: string): boolean {
  try {
    return resolveTarget(service.routes, method, url).route.hijacks === true;
  } catch {
    return false;
  }
}

async function closeServers(servers: readonly Server[], requests: RequestScope): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
  for (const server of servers) server.closeIdleConnections();
  await requests.end();
  for (const server of servers) server.closeAllConnections();
  await Promise.all(closed);
}

/** The requests that are being answered. */
class RequestScope {
  readonly #active = new Map<AbortController, Promise<void>>();
  readonly #peers = new Set<Peer>();

  /** Runs one request; its signal aborts when the peer closes or the scope ends. */
  run(peer: Peer, serve: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    this.#peers.add(peer);
    peer.once('close', () => {
      this.#peers.delete(peer);
      controller.abort(new Error('the client closed the connection'));
    });
    const done = serve(controller.signal).finally(() => this.#active.delete(controller));
    this.#active.set(controller, done);
  }

  /** Aborts all requests, waits a bounded time for them and cuts what is left. */
  async end(): Promise<void> {
    for (const controller of this.#active.keys()) controller.abort(new Error('the server stops'));
    const late = deadline(closeMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    late.addEventListener('abort', () => resolve(), { once: true });
    await Promise.race([Promise.allSettled(this.#active.values()), promise]);
    for (const peer of this.#peers) peer.destroy();
  }
}

interface Peer {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}
