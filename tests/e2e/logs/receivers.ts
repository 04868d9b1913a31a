import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

import { decodeMsgpack, encodeMsgpack } from '#formats/logs/msgpack.ts';

/** A receiver over a stream, as far as tests look: all bytes that came, on all connections. */
export class StreamReceiver implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #bytes: Buffer = Buffer.alloc(0);
  /** How many connections there were. */
  connections = 0;

  private constructor(server: Server, answer: (bytes: Buffer, socket: Socket) => void) {
    this.#server = server;
    server.on(
      server.listenerCount('secureConnection') >= 0 && 'setSecureContext' in server ? 'secureConnection' : 'connection',
      (socket: Socket) => {
        this.connections += 1;
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => {});
        socket.on('data', (bytes: Buffer) => {
          this.#bytes = Buffer.concat([this.#bytes, bytes]);
          answer(bytes, socket);
        });
      },
    );
  }

  /** At a port (0: a free one) or the path of a unix socket. */
  static async listen(
    at: number | string,
    options: { readonly tls?: TlsOptions; readonly answer?: (bytes: Buffer, socket: Socket) => void } = {},
  ): Promise<StreamReceiver> {
    const server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
    const receiver = new StreamReceiver(server, options.answer ?? (() => {}));
    server.listen(at === 0 || typeof at === 'number' ? { port: at, host: '127.0.0.1' } : { path: at });
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  get lines(): readonly string[] {
    return this.#bytes.toString().split('\n').slice(0, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Datagrams to a free UDP port of the loopback. */
export class UdpReceiver implements Disposable {
  readonly received: Buffer[] = [];
  readonly #socket = createSocket('udp4');

  static async listen(): Promise<UdpReceiver> {
    const receiver = new UdpReceiver();
    receiver.#socket.on('message', (message) => receiver.received.push(message));
    receiver.#socket.bind(0, '127.0.0.1');
    await once(receiver.#socket, 'listening');
    return receiver;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

export interface FluentEvent {
  readonly tag: string;
  readonly time: unknown;
  readonly record: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
}

/** The events in what a receiver of the forward protocol got, whole ones. */
export function fluentEvents(bytes: Buffer): readonly FluentEvent[] {
  const events: FluentEvent[] = [];
  let rest = bytes;
  for (let event = firstEvent(rest); event !== undefined; event = firstEvent(rest)) {
    events.push(event);
    rest = rest.subarray(event.sizeBytes);
  }
  return events;
}

/** Confirms events as fluentd does when they ask for it; an event may arrive in pieces. */
export function confirmEvents(): (bytes: Buffer, socket: Socket) => void {
  const unread = new WeakMap<Socket, Buffer>();
  return (bytes, socket) => {
    let rest = Buffer.concat([unread.get(socket) ?? Buffer.alloc(0), bytes]);
    for (let event = firstEvent(rest); event !== undefined; event = firstEvent(rest)) {
      const chunk = event.options['chunk'];
      if (chunk !== undefined) socket.write(encodeMsgpack({ ack: chunk }));
      rest = rest.subarray(event.sizeBytes);
    }
    unread.set(socket, rest);
  };
}

function firstEvent(bytes: Buffer): FluentEvent | undefined {
  const decoded = decodeMsgpack(bytes);
  if (decoded === undefined) return undefined;
  const [tag, time, record, options] = decoded.value as readonly unknown[];
  return { tag, time, record, options, sizeBytes: decoded.sizeBytes } as FluentEvent;
}
