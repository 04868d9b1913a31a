import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import { ApiError } from '#kube/status.ts';

import { withRepeated } from './repeated-headers.ts';

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A request and the place of its answer, the same for HTTP/1.1 and HTTP/2. */
export interface Exchange {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: TLSSocket | undefined;
  /** Aborts when the client has gone before its answer was complete. */
  readonly signal: AbortSignal;
  /** Throws RequestEntityTooLarge. */
  readBody(bytesMost: number): Promise<Buffer>;
  reply(status: number, headers: Headers, body: Uint8Array | string): void;
  /** Sends the head; what is written then is the body. */
  open(status: number, headers: Headers): Writable;
}

/** An exchange on a stream of HTTP/2, past Node's compatibility layer, which costs as much again as the stream. */
export function exchangeOfStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): Exchange {
  const gone = new AbortController();
  stream.on('error', () => {});
  stream.on('close', () => {
    if (!stream.writableFinished) gone.abort(new Error('the client has left'));
  });
  const respond = (status: number, given: Headers): void => {
    if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': status, ...given });
  };
  return {
    method: headers[':method'] ?? 'GET',
    target: headers[':path'] ?? '/',
    headers: withRepeated(headers, rawHeaders),
    socket: stream.session?.socket as TLSSocket | undefined,
    signal: gone.signal,
    readBody: async (bytesMost) => await collect(stream, bytesMost),
    reply: (status, given, body) => {
      respond(status, { ...given, 'content-length': String(Buffer.byteLength(body)) });
      // Whoever did not read the body tells the client not to send the rest of it.
      if (!stream.readableEnded && !stream.destroyed) stream.once('finish', () => stopSending(stream));
      stream.end(body);
    },
    open: (status, given) => {
      respond(status, given);
      return stream;
    },
  };
}

export function exchangeOfRequest(request: IncomingMessage, response: ServerResponse): Exchange {
  const gone = new AbortController();
  response.on('error', () => {});
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client has left'));
  });
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers: withRepeated(request.headers, request.rawHeaders),
    socket: request.socket as TLSSocket,
    signal: gone.signal,
    readBody: async (bytesMost) => await collect(request, bytesMost),
    reply: (status, given, body) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      if (!request.complete) response.setHeader('connection', 'close');
      response.writeHead(status, { ...given, 'content-length': Buffer.byteLength(body) } as OutgoingHttpHeaders);
      response.end(request.method === 'HEAD' ? undefined : body);
    },
    open: (status, given) => {
      response.writeHead(status, given as OutgoingHttpHeaders);
      response.flushHeaders();
      return response;
    },
  };
}

async function collect(stream: AsyncIterable<Buffer>, bytesMost: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMost) {
      throw new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${String(bytesMost)}`);
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
}

function stopSending(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
}
