import { randomBytes } from 'node:crypto';

import { deadline, monotonicMs } from '#base/clock.ts';
import { encodeFluentEvent, parseFluentAcks } from '#formats/logs/fluent-message.ts';

import type { FluentdTarget } from '../log-config.ts';
import { logAttributes, logTag } from '../log-origin.ts';
import { lineOf, type LogMessage, type Sink, type SinkOptions } from './sink.ts';
import { untilAborted } from './until-aborted.ts';
import { connectStream, type StreamConnection } from './stream-connection.ts';

const noTls = { ca: '', certificate: '', key: '', skipVerify: false };
const chunkIdBytes = 16;
/** A receiver that confirms nothing for as long is taken for dead when no option says otherwise. */
const ackTimeoutMs = 60_000;
/** A receiver that sends more than that without an end does not speak this protocol. */
const mostAnswerBytes = 1024 * 1024;

/** Events of fluentd's forward protocol. */
export async function openFluentdSink(target: FluentdTarget, options: SinkOptions, signal: AbortSignal): Promise<Sink> {
  const { address } = target;
  if (address.protocol === 'udp' || address.protocol === 'unixgram')
    throw new Error('invariant broken: the forward protocol is a stream');
  const connection = await connectStream(address, noTls, signal);
  return new FluentdSink(connection, target, options);
}

class FluentdSink implements Sink {
  readonly settleMs: number;
  readonly lost: AbortSignal;
  readonly #connection: StreamConnection;
  readonly #target: FluentdTarget;
  readonly #tag: string;
  readonly #common: Readonly<Record<string, string>>;
  readonly #extra: Readonly<Record<string, string>>;
  readonly #openedMs = monotonicMs();
  readonly #damage = new AbortController();
  readonly #unconfirmed = new Set<string>();
  #received: Buffer = Buffer.alloc(0);
  #onConfirmed: (() => void) | undefined;

  constructor(connection: StreamConnection, target: FluentdTarget, { origin }: SinkOptions) {
    this.#connection = connection;
    this.#target = target;
    this.lost = AbortSignal.any([connection.lost, this.#damage.signal]);
    // A confirmed event needs no time to settle.
    this.settleMs = target.acknowledged ? 0 : connection.settleMs;
    this.#tag = logTag(origin);
    this.#common = { container_id: origin.id, container_name: `/${origin.name}` };
    this.#extra = logAttributes(origin);
    connection.onData((bytes) => this.#take(bytes));
  }

  get isStale(): boolean {
    const { reconnectMs } = this.#target;
    return reconnectMs > 0 && monotonicMs() - this.#openedMs >= reconnectMs;
  }

  async send(messages: readonly LogMessage[], signal: AbortSignal): Promise<void> {
    const { writeTimeoutMs, readTimeoutMs, acknowledged } = this.#target;
    this.#unconfirmed.clear();
    const events = messages.map((message) => this.#encode(message));
    await this.#connection.send(events, writeTimeoutMs === 0 ? signal : deadline(writeTimeoutMs, signal));
    if (acknowledged) await this.#confirmed(deadline(readTimeoutMs || ackTimeoutMs, signal));
  }

  async finish(signal: AbortSignal): Promise<void> {
    if (!this.#target.acknowledged) await this.#connection.finish(signal);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  #encode(message: LogMessage): Buffer {
    const { acknowledged, subSecond } = this.#target;
    const chunk = acknowledged ? randomBytes(chunkIdBytes).toString('base64') : undefined;
    if (chunk !== undefined) this.#unconfirmed.add(chunk);
    const { timeNs, stream, part } = message;
    const record = {
      ...this.#common,
      source: stream,
      log: lineOf(message),
      ...this.#extra,
      ...(part !== undefined && {
        partial_message: 'true',
        partial_id: part.id,
        partial_ordinal: String(part.ordinal),
        partial_last: String(part.last),
      }),
    };
    return encodeFluentEvent({ tag: this.#tag, timeNs, record, subSecond, ...(chunk !== undefined && { chunk }) });
  }

  async #confirmed(signal: AbortSignal): Promise<void> {
    if (this.#unconfirmed.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onConfirmed = resolve;
    await untilAborted(promise, signal, this.lost);
  }

  #take(bytes: Buffer): void {
    try {
      const { chunks, rest } = parseFluentAcks(Buffer.concat([this.#received, bytes]));
      if (rest.length > mostAnswerBytes) throw new Error('the receiver does not speak the forward protocol');
      this.#received = rest;
      for (const chunk of chunks) this.#unconfirmed.delete(chunk);
      if (this.#unconfirmed.size === 0) this.#onConfirmed?.();
    } catch (error) {
      this.#damage.abort(error);
    }
  }
}
