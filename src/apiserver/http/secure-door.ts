import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { RequestExchange, StreamExchange, type Exchange } from './exchange.ts';

export interface KeyPair {
  readonly keyPem: string;
  readonly certificatePem: string;
}

export interface SecureDoor extends AsyncDisposable {
  /** Takes a connection, of which nothing was read. */
  accept(socket: Socket): void;
  /** Serves new connections with another certificate. */
  renew(pair: KeyPair): void;
  readonly connections: number;
}

/** Takes requests; `upgrade` those of HTTP/1.1 that leave HTTP. */
export interface Requests {
  request(exchange: Exchange): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const streamsPerConnection = 250;
const handshakeTimeoutMs = 30_000;
/** Until the head of a request of HTTP/1.1 has come (upstream: 32 s), and all of it. */
const http1Timeouts = { headersTimeout: 32_000, requestTimeout: 120_000 };

/** TLS with HTTP/2 and HTTP/1.1 for connections that others accept. `clientAuthorityPem`: whose certificates clients may have. */
export function openSecureDoor(pair: KeyPair, clientAuthorityPem: string, requests: Requests): SecureDoor {
  const server = createSecureServer({
    key: pair.keyPem,
    cert: pair.certificatePem,
    ca: clientAuthorityPem,
    allowHTTP1: true,
    // Who has no certificate may have a token.
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    settings: { maxConcurrentStreams: streamsPerConnection },
    handshakeTimeout: handshakeTimeoutMs,
    ...http1Timeouts,
  });
  // Node looks for connections whose requests do not come only from here on, and this server never listens by itself.
  server.emit('listening');
  const [sessions, sockets] = trackConnections(server);
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) =>
    requests.request(new StreamExchange(stream, headers, raw)),
  );
  serveHttp1(server, requests);
  return {
    accept: (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {});
      server.emit('connection', socket);
    },
    renew: ({ keyPem, certificatePem }) =>
      server.setSecureContext({ key: keyPem, cert: certificatePem, ca: clientAuthorityPem }),
    get connections() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await Promise.resolve();
    },
  };
}

function trackConnections(server: Http2SecureServer): readonly [ReadonlySet<{ destroy(): void }>, Set<Socket>] {
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('secureConnection', (socket: Duplex) => socket.on('error', () => {}));
  server.on('tlsClientError', (_error: Error, socket: Duplex) => socket.destroy());
  return [sessions, new Set()];
}

/** Requests of HTTP/2 come as streams; a listener for `request` would have Node make objects for them as well. */
function serveHttp1(server: Http2SecureServer, requests: Requests): void {
  const streams = server.listeners('stream');
  server.on('request', (request, response) => {
    if (request.httpVersionMajor === 1)
      requests.request(
        new RequestExchange(request as unknown as IncomingMessage, response as unknown as ServerResponse),
      );
  });
  server.removeAllListeners('stream');
  for (const listener of streams) server.on('stream', listener as () => void);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    requests.upgrade(request, socket, head);
  });
}
