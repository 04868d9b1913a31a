import type { Duplex } from 'node:stream';

import { StatusError } from '#base/errors.ts';
import { every } from '#base/clock.ts';
import { deadline } from '#base/clock.ts';

import { GrpcChannel } from '../grpc/grpc-channel.ts';
import { healthResponse, nothing } from '../messages/session-messages.ts';

export interface SessionHeaders {
  readonly id: string;
  /** Equal for contexts that are likely to have the same files, such as those of one folder on one machine. */
  readonly sharedKey: string;
  /** Paths of the methods that the client serves. */
  readonly methods: readonly string[];
}

/** Reads the headers by which clients open sessions. Throws InvalidArgument for one without an ID. */
export function sessionHeaders(header: (name: string) => string): SessionHeaders {
  const id = header('x-docker-expose-session-uuid');
  if (id === '') throw new StatusError('InvalidArgument', 'Cannot open a session: it has no ID');
  return {
    id,
    sharedKey: header('x-docker-expose-session-sharedkey'),
    methods: header('x-docker-expose-session-grpc-method').split(/,\s*/),
  };
}

/** A client behind a relay may vanish without a sign; it is asked as often. */
const healthPeriodMs = 30_000;
const healthMethod = '/grpc.health.v1.Health/Check';

/** A client that serves its files, secrets and credentials to us over the connection that it opened. */
export class ClientSession {
  readonly id: string;
  readonly sharedKey: string;
  readonly channel: GrpcChannel;
  readonly #methods: ReadonlySet<string>;

  constructor(headers: SessionHeaders, socket: Duplex) {
    this.id = headers.id;
    this.sharedKey = headers.sharedKey;
    this.#methods = new Set(headers.methods.map((method) => method.toLowerCase()));
    this.channel = new GrpcChannel(socket);
  }

  /** Whether the client serves a method; names of methods have no case here, as in BuildKit. */
  serves(method: string): boolean {
    return this.#methods.has(method.toLowerCase());
  }

  /** Resolves when the client has gone, or the signal aborts, which ends the connection. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.channel.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    using _ = every(healthPeriodMs, () => void this.#check(signal));
    try {
      await this.channel.closed();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #check(signal: AbortSignal): Promise<void> {
    const messages = { request: nothing, reply: healthResponse };
    try {
      await this.channel.call(healthMethod, messages, {}, deadline(healthPeriodMs, signal));
    } catch (error) {
      if (!(error instanceof StatusError)) this.channel.destroy();
    }
  }
}
