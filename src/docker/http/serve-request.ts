import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { after } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';

import { requestBody } from './body.ts';
import type { Call } from './call.ts';
import type { Target } from './dispatcher.ts';
import { errorReply, resolveTarget } from './dispatcher.ts';
import { errorLine } from './json-stream.ts';
import { responseOutput } from './output.ts';
import type { Headers } from './headers.ts';
import type { HijackReply, Reply, StreamReply } from './reply.ts';
import { errorBody } from './reply.ts';
import type { RouteTable } from './route.ts';

export interface Service {
  readonly routes: RouteTable;
  readonly headers: Headers;
  readonly logger: Logger;
}

/** How long a client may go on sending what nobody wants. */
const lingerMs = 10_000;

/** Answers one ordinary request; never rejects. */
export async function serveRequest(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const fields = { method: request.method, url: request.url };
  try {
    const target = resolveTarget(service.routes, request.method ?? '', request.url ?? '');
    const bytes = bodyBytes(request);
    const reply = await target.route.handle(callOf(target, request, bytes), signal);
    await send(service, reply, response, bytes, signal);
  } catch (error) {
    if (signal.aborted) return void response.destroy();
    if (response.headersSent) {
      service.logger.warn('a streamed reply was cut', { ...fields, error });
      return void response.destroy();
    }
    await send(service, errorReply(error, service.logger, fields), response, bodyBytes(request), signal).catch(() =>
      response.destroy(),
    );
  } finally {
    drainRest(request);
  }
}

/** Reads and drops what the client still sends, for a while: closing over it would reset the client. */
function drainRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const linger = after(lingerMs, () => request.socket.destroy());
  request.once('close', () => linger[Symbol.dispose]());
}

/** What handlers see of a request whose body comes from `bytes`. */
export function callOf(target: Target, request: IncomingMessage, bytes: AsyncIterable<Uint8Array>): Call {
  const { version, params, query } = target;
  const header = (name: string): string => {
    const value = request.headers[name];
    return (Array.isArray(value) ? value[0] : value) ?? '';
  };
  return { version, params, query, header, body: requestBody(bytes, header('content-type')) };
}

async function send(
  service: Service,
  reply: Reply,
  response: ServerResponse,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  switch (reply.kind) {
    case 'value': {
      const length = String(Buffer.byteLength(reply.body));
      const type = { 'Content-Type': reply.contentType, 'Content-Length': length };
      response.writeHead(reply.status, { ...service.headers, ...type, ...reply.headers });
      response.end(reply.body);
      return;
    }
    case 'empty':
      response.writeHead(reply.status, { ...service.headers, ...lengthOfNothing(reply.status), ...reply.headers });
      response.end();
      return;
    case 'stream':
      return await sendStream(service, reply, response, signal);
    case 'handover':
      throw new StatusError('InvalidArgument', `no upgrade proto in request: want Upgrade: ${reply.protocol}`);
    case 'hijack':
      return await sendHijack(service, reply, response, bytes, signal);
  }
}

/** 204 and 304 have no body by definition (RFC 9110, section 8.6). */
function lengthOfNothing(status: number): Headers {
  return status === 204 || status === 304 ? {} : { 'Content-Length': '0' };
}

async function sendStream(
  service: Service,
  reply: StreamReply,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const headers = { ...service.headers, 'Content-Type': reply.contentType, ...reply.headers };
  const output = responseOutput(response, headers, signal);
  if (reply.headAtOnce) output.start();
  try {
    await reply.write(output, signal);
  } catch (error) {
    if (!output.started || signal.aborted || reply.lateErrors === 'cut') throw error;
    await output.write(errorLine(error));
  }
  output.start();
  response.end();
}

/** A client that did not ask for an upgrade gets the raw stream as a body that ends with the connection. */
async function sendHijack(
  service: Service,
  reply: HijackReply,
  response: ServerResponse,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  response.useChunkedEncodingByDefault = false;
  response.shouldKeepAlive = false;
  response.writeHead(200, { ...service.headers, 'Content-Type': reply.contentType });
  response.flushHeaders();
  const write = async (chunk: Uint8Array): Promise<void> => {
    signal.throwIfAborted();
    if (!response.write(chunk)) await once(response, 'drain', { signal });
  };
  try {
    await reply.run({ input: bytes, write }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    service.logger.warn('a raw stream ended early', { error });
    response.write(errorBody(messageOf(error)));
  }
  response.end();
}

/** The request's bytes, once; leaving early does not cut the connection, so that an error can still be answered. */
async function* bodyBytes(request: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  if (request.readableEnded || request.destroyed) return;
  yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}
