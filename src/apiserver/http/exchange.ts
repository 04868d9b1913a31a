import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import { ApiError } from '#kube/status.ts';

import type { UserInfo } from '../auth/user.ts';
import { withRepeated } from './repeated-headers.ts';

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A request and the place of its answer, the same for HTTP/1.1 and HTTP/2. */
export interface Exchange {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: TLSSocket | undefined;
  /** The connection of a request that asks to leave HTTP/1.1, and what was read of it already. */
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer };
  /** Who asks, for one who need not prove it: a part of this program. */
  readonly caller?: UserInfo;
  /** The client has gone before its answer was complete. */
  readonly isGone: boolean;
  /** Calls back when it goes so; one callback for each exchange. */
  whenGone(callback: () => void): void;
  /** Throws RequestEntityTooLarge, and the signal's reason. */
  readBody(bytesMost: number, signal: AbortSignal): Promise<Buffer>;
  reply(status: number, headers: Headers, body: Uint8Array | string): void;
  /** Sends the head; what is written then is the body. */
  open(status: number, headers: Headers): Writable;
}

/** What is read of a body that nobody wanted before the client is told to stop. */
const discardedBytesMost = 64 * 1024;

/** Over HTTP/1.1, where nobody can be told to stop, before the connection is cut. */
const restBytesMost = 8 * 1024 * 1024;

/** An exchange on a stream of HTTP/2, past Node's compatibility layer, which costs as much again as the stream. */
export class StreamExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Exchange['headers'];
  readonly #stream: ServerHttp2Stream;
  readonly #departure: Departure;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
    this.method = headers[':method'] ?? 'GET';
    this.target = headers[':path'] ?? '/';
    this.headers = withRepeated(headers, rawHeaders);
    this.#stream = stream;
    // A stream that was closed without an error has sent what was written, whether or not the callback has come.
    this.#departure = new Departure(
      stream,
      () => stream.writableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR,
    );
  }

  get socket(): TLSSocket | undefined {
    return this.#stream.session?.socket as TLSSocket | undefined;
  }

  get isGone(): boolean {
    return this.#departure.isGone;
  }

  whenGone(callback: () => void): void {
    this.#departure.whenGone(callback);
  }

  async readBody(bytesMost: number, signal: AbortSignal): Promise<Buffer> {
    return await collect(this.#stream, bytesMost, signal);
  }

  reply(status: number, headers: Headers, body: Uint8Array | string): void {
    const stream = this.#stream;
    this.#respond(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
    if (!stream.readableEnded && !stream.destroyed) discardRest(stream);
    stream.end(body);
  }

  open(status: number, headers: Headers): Writable {
    this.#respond(status, headers);
    return this.#stream;
  }

  #respond(status: number, headers: Headers): void {
    const stream = this.#stream;
    if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': status, ...headers });
  }
}

export class RequestExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Exchange['headers'];
  readonly socket: TLSSocket;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #departure: Departure;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.method = request.method ?? 'GET';
    this.target = request.url ?? '/';
    this.headers = withRepeated(request.headers, request.rawHeaders);
    this.socket = request.socket as TLSSocket;
    this.#request = request;
    this.#response = response;
    this.#departure = new Departure(response, () => response.writableFinished);
  }

  get isGone(): boolean {
    return this.#departure.isGone;
  }

  whenGone(callback: () => void): void {
    this.#departure.whenGone(callback);
  }

  async readBody(bytesMost: number, signal: AbortSignal): Promise<Buffer> {
    return await collect(this.#request, bytesMost, signal);
  }

  reply(status: number, headers: Headers, body: Uint8Array | string): void {
    const response = this.#response;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (!this.#request.complete) readRest(this.#request);
    // Before a text Node would write the headers in UTF-8, too.
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    response.writeHead(status, { ...headers, 'content-length': bytes.length } as OutgoingHttpHeaders);
    response.end(this.method === 'HEAD' ? undefined : bytes);
  }

  open(status: number, headers: Headers): Writable {
    const response = this.#response;
    response.writeHead(status, headers as OutgoingHttpHeaders);
    response.flushHeaders();
    return response;
  }
}

/** A request of HTTP/1.1 that asks to leave it: whoever answers with a body ends the connection. */
export class UpgradeExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Exchange['headers'];
  readonly socket: TLSSocket;
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer };
  readonly #departure: Departure;

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer) {
    this.method = request.method ?? 'GET';
    this.target = request.url ?? '/';
    this.headers = withRepeated(request.headers, request.rawHeaders);
    this.socket = request.socket as TLSSocket;
    this.upgrade = { socket, head };
    this.#departure = new Departure(socket, () => socket.writableFinished);
  }

  get isGone(): boolean {
    return this.#departure.isGone;
  }

  whenGone(callback: () => void): void {
    this.#departure.whenGone(callback);
  }

  async readBody(): Promise<Buffer> {
    return await Promise.resolve(Buffer.alloc(0));
  }

  reply(status: number, headers: Headers, body: Uint8Array | string): void {
    const lines = Object.entries({
      ...headers,
      connection: 'close',
      'content-length': String(Buffer.byteLength(body)),
    });
    const text = lines.flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`)).join('');
    this.upgrade.socket.write(`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${text}\r\n`);
    this.upgrade.socket.end(body);
  }

  /** The head is that of whoever takes the connection over. */
  open(): Writable {
    return new PassThrough().resume();
  }
}

/** Notices that the place of an answer was closed before the answer was complete. */
class Departure {
  isGone = false;
  #callback: (() => void) | undefined;

  constructor(answer: Writable, isComplete: () => boolean) {
    answer.on('error', () => {});
    answer.on('close', () => {
      if (isComplete()) return;
      this.isGone = true;
      this.#callback?.();
    });
  }

  whenGone(callback: () => void): void {
    if (this.isGone) callback();
    else this.#callback = callback;
  }
}

/** Costs a fraction of what iteration of a stream does, which matters for small bodies. */
async function collect(stream: Readable, bytesMost: number, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= bytesMost) chunks.push(chunk);
    else reject(new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${String(bytesMost)}`));
  });
  stream.on('end', () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  return promise;
}

/**
 * Reads what is left of a body that nobody wants, so that the client gets to reading its answer: a connection that is closed
 * with bytes unread is reset, and the answer may be lost by that.
 */
function readRest(request: IncomingMessage): void {
  let left = restBytesMost;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroy();
  });
}

/**
 * Lets the client finish a small body that nobody wanted, and tells it not to send the rest of a large one. To reset every
 * stream would cost more, and makes clients that answer by resets of their own look like an attack (CVE-2023-44487).
 */
function discardRest(stream: ServerHttp2Stream): void {
  let left = discardedBytesMost;
  stream.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0 && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}
