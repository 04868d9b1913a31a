import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

import { deadline, sleep } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import { hasCode } from '#sys/errno.ts';
import { UnixDatagramSocket } from '#sys/unix-datagram.ts';

import { type Connection, connectTimeoutMs } from './connection.ts';
import { untilAborted } from './until-aborted.ts';

/** A machine that is there but where nobody listens says so within this time, as a rule. */
const udpSettleMs = 200;
/** A receiver whose queue is full is asked again after this. */
const fullQueueMs = 5;

/** UDP knows no receiver; but a machine where nobody listens says so, and then the way counts as lost. */
export class UdpConnection implements Connection {
  readonly settleMs: number = udpSettleMs;
  readonly #socket: Socket;
  readonly #logger: Logger;
  readonly #lost = new AbortController();

  private constructor(socket: Socket, logger: Logger) {
    this.#socket = socket;
    this.#logger = logger;
    socket.on('error', (error) => this.#lost.abort(error));
  }

  static async connect(host: string, port: number, logger: Logger, signal: AbortSignal): Promise<UdpConnection> {
    // Asking for a name can take long, and cannot be taken back.
    const { address, family } = await untilAborted(lookup(host), deadline(connectTimeoutMs, signal));
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('error', reject);
    socket.connect(port, address, resolve);
    try {
      await promise;
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.off('error', reject);
    return new UdpConnection(socket, logger);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async send(messages: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.lost.throwIfAborted();
    await Promise.all(messages.map((message) => this.#send(message)));
  }

  async finish(signal: AbortSignal): Promise<void> {
    await sleep(udpSettleMs, signal);
    this.lost.throwIfAborted();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #send(message: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.send(message, (error) => (error === null ? resolve() : reject(error)));
    await promise.catch((error: unknown) => dropIfOversized(error, message, this.#logger));
  }
}

/** A unix datagram socket: the kernel keeps what was sent until the receiver takes it. */
export class UnixDatagramConnection implements Connection {
  readonly settleMs: number = 0;
  readonly lost: AbortSignal = new AbortController().signal;
  readonly #socket: UnixDatagramSocket;
  readonly #logger: Logger;

  constructor(path: string, logger: Logger) {
    this.#socket = new UnixDatagramSocket(path);
    this.#logger = logger;
  }

  async send(messages: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    for (const message of messages) {
      signal.throwIfAborted();
      try {
        while (!this.#socket.send(message)) await sleep(fullQueueMs, signal);
      } catch (error) {
        dropIfOversized(error, message, this.#logger);
      }
    }
  }

  async finish(): Promise<void> {
    // The kernel has everything, and keeps it for the receiver.
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

/** What no datagram can hold will never be sent, and must not hold up the rest. */
function dropIfOversized(error: unknown, message: Uint8Array, logger: Logger): void {
  if (!hasCode(error, 'EMSGSIZE')) throw error;
  logger.warn('a line was not sent: it is larger than a datagram can be', { sizeBytes: message.length });
}
