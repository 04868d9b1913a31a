import { once } from 'node:events';
import { performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';

import { messageOf, reasonOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { frameMessage, readMessages } from '#formats/grpc/frames.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Decoded, Encodable, Message } from '#formats/protobuf/message.ts';

import { type GrpcStatus, grpcCodes, trailersOf } from './grpc-status.ts';

/** A call of a client. */
export interface GrpcCall {
  /** The value of a header, '' when it is missing; several are joined by commas. */
  header(name: string): string;
  /** What the client sends. */
  readonly messages: AsyncIterable<Uint8Array>;
  readonly send: (reply: Uint8Array) => Promise<void>;
}

/** Answers a call; it ends when this resolves. */
export type GrpcMethod = (call: GrpcCall, signal: AbortSignal) => Promise<void>;

/** Methods by path, such as `/moby.buildkit.v1.Control/Info`. */
export type GrpcMethods = Readonly<Record<string, GrpcMethod>>;

export interface GrpcService {
  readonly methods: GrpcMethods;
  readonly statusOf: (error: unknown) => GrpcStatus;
  readonly logger: Logger;
}

/** Bytes that the peer may send ahead per stream. */
const windowBytes = 4 * 1024 * 1024;

export function unary<Q extends Message, A extends Message>(
  request: Q,
  reply: A,
  handle: (request: Decoded<Q>, call: GrpcCall, signal: AbortSignal) => Encodable<A> | Promise<Encodable<A>>,
): GrpcMethod {
  return async (call, signal) => {
    const value = decodeMessage(request, await firstMessage(call));
    await call.send(encodeMessage(reply, await handle(value, call, signal)));
  };
}

export function streaming<Q extends Message, A extends Message>(
  request: Q,
  reply: A,
  handle: (request: Decoded<Q>, send: (item: Encodable<A>) => Promise<void>, signal: AbortSignal) => Promise<void>,
): GrpcMethod {
  return async (call, signal) => {
    const value = decodeMessage(request, await firstMessage(call));
    await handle(value, (item) => call.send(encodeMessage(reply, item)), signal);
  };
}

/** Serves gRPC on a connection until the peer closes it or the signal aborts; never rejects for what the peer does. */
export async function serveGrpc(socket: Duplex, service: GrpcService, signal: AbortSignal): Promise<void> {
  const session = performServerHandshake(socket, { settings: { initialWindowSize: windowBytes } });
  const calls = new Set<Promise<void>>();
  session.on('error', () => {});
  session.on('stream', (stream, headers) => {
    const done = serveCall(stream, headers, service).finally(() => calls.delete(done));
    calls.add(done);
  });
  const onAbort = (): void => session.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (!session.destroyed) await once(session, 'close');
  } finally {
    signal.removeEventListener('abort', onAbort);
    await Promise.allSettled(calls);
  }
}

async function serveCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, service: GrpcService): Promise<void> {
  const gone = new AbortController();
  stream.on('error', () => {});
  stream.once('close', () => gone.abort(new StatusError('Unavailable', 'the client ended the call')));
  const path = headers[':path'] ?? '';
  let status: GrpcStatus = { code: grpcCodes.ok, message: '', details: [] };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailersOf(status)));
  try {
    const method = Object.hasOwn(service.methods, path) ? service.methods[path] : undefined;
    if (method === undefined) status = unknownMethod(path);
    else await method(callOver(stream, headers, gone.signal), gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    status = service.statusOf(error);
    if (reasonOf(error) === 'Internal')
      service.logger.error('call failed by a defect', { path, error: messageOf(error), stack: (error as Error).stack });
  } finally {
    stream.resume();
    stream.end();
  }
}

function callOver(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, signal: AbortSignal): GrpcCall {
  return {
    header: (name) => [headers[name] ?? ''].flat().join(','),
    messages: readMessages(stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>),
    async send(reply) {
      signal.throwIfAborted();
      if (!stream.write(frameMessage(reply))) await once(stream, 'drain', { signal });
    },
  };
}

async function firstMessage({ messages }: GrpcCall): Promise<Uint8Array> {
  for await (const message of messages) return message;
  throw new StatusError('InvalidArgument', 'Cannot answer a call: it has no message');
}

function unknownMethod(path: string): GrpcStatus {
  const message = `Cannot call ${path}: this daemon does not have this method of BuildKit`;
  return { code: grpcCodes.unimplemented, message, details: [] };
}
