import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';

import { StatusError } from '#base/errors.ts';
import { collectHeaders } from '#formats/grpc/collect-headers.ts';
import { frameMessage, readMessages } from '#formats/grpc/frames.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Decoded, Encodable, Message } from '#formats/protobuf/message.ts';

import { checkStatus } from './grpc-status.ts';

/** A stream of messages both ways; disposing cancels it unless it has ended. */
export interface GrpcStream extends Disposable {
  send(message: Uint8Array): Promise<void>;
  /** Says that no more is sent. */
  end(): void;
  /** What the peer sends; throws what it says went wrong. */
  readonly messages: AsyncIterable<Buffer>;
}

export type Metadata = Readonly<Record<string, string | string[]>>;

/** Bytes that the peer may send ahead, per stream and in all. */
const windowBytes = 4 * 1024 * 1024;

/** The calling side of gRPC on a connection that is there already. */
export class GrpcChannel {
  readonly #session: ClientHttp2Session;

  constructor(socket: Duplex) {
    this.#session = connect('http://localhost', {
      createConnection: () => socket,
      settings: { initialWindowSize: windowBytes, enablePush: false },
    });
    this.#session.on('error', () => {});
    this.#session.once('connect', () => this.#session.setLocalWindowSize(windowBytes));
  }

  /** Resolves when the connection has ended. */
  async closed(): Promise<void> {
    if (!this.#session.destroyed) await once(this.#session, 'close');
  }

  destroy(): void {
    this.#session.destroy();
  }

  open(path: string, metadata: Metadata, signal: AbortSignal): GrpcStream {
    signal.throwIfAborted();
    if (this.#session.closed || this.#session.destroyed)
      throw new StatusError('Unavailable', `Cannot call ${path} of the client: it went away`);
    const stream = this.#session.request(
      { ...metadata, ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      { signal },
    );
    stream.on('error', () => {});
    return {
      send: async (message) => {
        signal.throwIfAborted();
        if (stream.destroyed) throw new StatusError('Unavailable', `Cannot go on with ${path}: the client ended it`);
        if (!stream.write(frameMessage(message))) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
      },
      end: () => void stream.end(),
      messages: receive(stream, path, collectHeaders(stream), signal),
      [Symbol.dispose]: () => {
        if (!stream.destroyed) stream.close();
      },
    };
  }

  /** One message there, one back. */
  async call<Q extends Message, A extends Message>(
    path: string,
    { request, reply, metadata = {} }: { readonly request: Q; readonly reply: A; readonly metadata?: Metadata },
    value: Encodable<Q>,
    signal: AbortSignal,
  ): Promise<Decoded<A>> {
    using stream = this.open(path, metadata, signal);
    await stream.send(encodeMessage(request, value));
    stream.end();
    let answer: Buffer | undefined;
    for await (const message of stream.messages) answer = message;
    if (answer !== undefined) return decodeMessage(reply, answer);
    throw new StatusError('InvalidArgument', `Cannot call ${path} of the client: it answered without a message`);
  }
}

async function* receive(
  stream: ClientHttp2Stream,
  path: string,
  ending: () => IncomingHttpHeaders,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* readMessages(stream as AsyncIterable<Buffer>);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StatusError) throw error;
    throw new StatusError('Unavailable', `Cannot go on with ${path}: the client went away`, { cause: error });
  }
  signal.throwIfAborted();
  checkStatus(ending(), path);
}
