import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';

import { after, every, monotonicMs } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { collectHeaders } from '#formats/grpc/collect-headers.ts';
import { frameMessage, readMessages } from '#formats/grpc/frames.ts';

import { checkTrailers, RpcFailure, rpcCodes } from './rpc-failure.ts';

/** PEM. */
export interface EtcdTls {
  /** undefined: the authorities that Node.js knows. */
  readonly ca?: string;
  /** What we show; undefined: nothing. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** A stream of messages both ways; disposing cancels it. */
export interface RpcStream extends Disposable {
  readonly connection: EtcdConnection;
  send(message: Uint8Array): void;
  /** Says that no more is sent. */
  end(): void;
  /** What the peer sends; throws RpcFailure. */
  readonly messages: AsyncIterable<Buffer>;
}

/** Bytes that the peer may send ahead, per stream and in all. */
const windowBytes = 4 * 1024 * 1024;
/** One page of a list, at the most. */
const messageBytesMost = 1024 * 1024 * 1024;
/** etcd ends connections on which pings come less than 5 s after each other, and a busy program is late with some. */
const pingEveryMs = 10_000;
const pingApartMs = 7_000;
const connectTimeoutMs = 5_000;
/** By which a peer says that it has not looked at a call. */
const refusedStream = constants.NGHTTP2_REFUSED_STREAM;

/** An HTTP/2 connection with one member of etcd, for gRPC. */
export class EtcdConnection implements Disposable {
  readonly #session: ClientHttp2Session;
  readonly #pings: Disposable;
  #pingIsOut = false;
  #lastPingMs = monotonicMs();

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
    session.setLocalWindowSize(windowBytes);
    this.#pings = every(pingEveryMs, () => this.#ping());
    session.once('close', () => this.#pings[Symbol.dispose]());
  }

  /** Throws RpcFailure when there is no connection. */
  static async open(url: URL, tls: EtcdTls | undefined, signal: AbortSignal): Promise<EtcdConnection> {
    const session = connect(url, {
      settings: { initialWindowSize: windowBytes, enablePush: false },
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.client === undefined ? {} : { cert: tls.client.certificate, key: tls.client.key }),
    });
    using _timeout = after(connectTimeoutMs, () => session.destroy(new Error('it does not answer')));
    const onAbort = (): void => session.destroy(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    try {
      await once(session, 'connect');
    } catch (error) {
      const text = `cannot connect to ${url.host}: ${messageOf(error)}`;
      throw new RpcFailure(rpcCodes.unavailable, text, { mayBeDone: false, cause: error });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    session.on('error', () => {});
    return new EtcdConnection(session);
  }

  get isUsable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  open(path: string, signal: AbortSignal): RpcStream {
    signal.throwIfAborted();
    if (!this.isUsable) throw new RpcFailure(rpcCodes.unavailable, 'the connection is closed', { mayBeDone: false });
    const headers = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      // Ends watches of a member that is cut off from the others.
      hasleader: 'true',
    };
    const stream = this.#session.request(headers, { signal });
    stream.on('error', () => {});
    return {
      connection: this,
      send: (message) => void stream.write(frameMessage(message)),
      end: () => void stream.end(),
      messages: receive(stream, collectHeaders(stream), signal),
      [Symbol.dispose]: () => {
        if (!stream.destroyed) stream.close();
      },
    };
  }

  /** Calls back when it has ended. */
  onClose(callback: () => void): void {
    this.#session.once('close', callback);
  }

  /** Takes no more calls, and closes when those under way have ended. */
  closeWhenIdle(): void {
    // Not before the calls of this turn are on their way.
    setImmediate(() => this.#session.close());
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }

  /** A peer that has lost its power answers nothing, and TCP would wait for minutes. */
  #ping(): void {
    const now = monotonicMs();
    if (now - this.#lastPingMs < pingApartMs) return;
    this.#lastPingMs = now;
    if (this.#pingIsOut) return this.#session.destroy();
    this.#pingIsOut = true;
    try {
      this.#session.ping(() => {
        this.#pingIsOut = false;
      });
    } catch {
      // It is closing already.
    }
  }
}

async function* receive(
  stream: ClientHttp2Stream,
  ending: () => IncomingHttpHeaders,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* readMessages(stream as AsyncIterable<Buffer>, messageBytesMost);
  } catch (error) {
    signal.throwIfAborted();
    const text = `the connection broke: ${messageOf(error)}`;
    throw new RpcFailure(rpcCodes.unavailable, text, { mayBeDone: stream.rstCode !== refusedStream, cause: error });
  }
  signal.throwIfAborted();
  checkTrailers(ending());
}
