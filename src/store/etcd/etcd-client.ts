import { deadline, sleep } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Decoded, Encodable, Message } from '#formats/protobuf/message.ts';

import { EtcdConnection, type EtcdTls, type RpcStream } from './etcd-connection.ts';
import { RpcFailure, rpcCodes } from './rpc-failure.ts';

export interface Method<Q extends Message, A extends Message> {
  readonly path: string;
  readonly request: Q;
  readonly reply: A;
}

/** `read`: may be asked again; `write`: only when it was not done. */
export type CallKind = 'read' | 'write';

/** How long one member may take. */
const attemptMs = 5_000;
/** How long a call goes from member to member. */
const callMs = 15_000;
const pauseMs = 100;

/** Calls the members of an etcd cluster: one as long as it answers, then the next. */
export class EtcdClient implements Disposable {
  readonly #endpoints: readonly URL[];
  readonly #tls: EtcdTls | undefined;
  readonly #closing = new AbortController();
  readonly #connections = new Set<EtcdConnection>();
  #next = 0;
  #current: EtcdConnection | undefined;
  #opening: Promise<EtcdConnection> | undefined;

  constructor(endpoints: readonly URL[], tls: EtcdTls | undefined) {
    this.#endpoints = endpoints;
    this.#tls = tls;
  }

  /** Throws RpcFailure, Unavailable when no member answers. */
  async call<Q extends Message, A extends Message>(
    method: Method<Q, A>,
    value: Encodable<Q>,
    kind: CallKind,
    signal: AbortSignal,
  ): Promise<Decoded<A>> {
    const bytes = encodeMessage(method.request, value);
    const limit = deadline(callMs, signal);
    for (;;) {
      try {
        return decodeMessage(method.reply, await this.#attempt(method.path, bytes, limit));
      } catch (error) {
        signal.throwIfAborted();
        const failure = asFailure(error);
        if (!isForOthers(failure) || (kind === 'write' && failure.mayBeDone)) throw failure;
        if (limit.aborted || this.#closing.signal.aborted) throw unavailable(this.#endpoints, failure);
        await sleep(pauseMs, limit).catch(() => {});
      }
    }
  }

  /** Opens a stream with a member that answers. Throws RpcFailure. */
  async open(path: string, signal: AbortSignal): Promise<RpcStream> {
    return (await this.#connected()).open(path, signal);
  }

  /** Goes on with the next member, where it was not left yet; what is under way with this one may end. */
  leave(connection: EtcdConnection): void {
    connection.closeWhenIdle();
    if (this.#current === connection) this.#current = undefined;
  }

  [Symbol.dispose](): void {
    this.#closing.abort(new Error('the client is closed'));
    for (const connection of this.#connections) connection[Symbol.dispose]();
  }

  async #attempt(path: string, bytes: Uint8Array, limit: AbortSignal): Promise<Uint8Array> {
    const connection = await this.#connected();
    const signal = deadline(attemptMs, limit);
    try {
      using stream = connection.open(path, signal);
      stream.send(bytes);
      stream.end();
      let answer: Buffer | undefined;
      for await (const message of stream.messages) answer = message;
      if (answer !== undefined) return answer;
      throw new RpcFailure(rpcCodes.unavailable, 'it answered without a message', { mayBeDone: true });
    } catch (error) {
      const failure =
        error instanceof RpcFailure
          ? error
          : new RpcFailure(rpcCodes.deadlineExceeded, 'it does not answer', { mayBeDone: true, cause: error });
      if (isForOthers(failure) && !limit.aborted) this.leave(connection);
      throw failure;
    }
  }

  async #connected(): Promise<EtcdConnection> {
    if (this.#current?.isUsable === true) return this.#current;
    this.#opening ??= this.#openNext().finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  async #openNext(): Promise<EtcdConnection> {
    const url = this.#endpoints[this.#next % this.#endpoints.length] as URL;
    this.#next += 1;
    const connection = await EtcdConnection.open(url, this.#tls, this.#closing.signal);
    this.#current = connection;
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
    return connection;
  }
}

function asFailure(error: unknown): RpcFailure {
  if (error instanceof RpcFailure) return error;
  return new RpcFailure(rpcCodes.unavailable, String(error), { mayBeDone: true, cause: error });
}

/** Whether another member may do better. */
function isForOthers({ code }: RpcFailure): boolean {
  return code === rpcCodes.unavailable || code === rpcCodes.deadlineExceeded;
}

function unavailable(endpoints: readonly URL[], cause: RpcFailure): StatusError {
  const names = endpoints.map(({ host }) => host).join(', ');
  return new StatusError('Unavailable', `Cannot reach etcd at ${names}: ${cause.message}; see whether it runs`, {
    cause,
    retryAfterMs: 1000,
  });
}
