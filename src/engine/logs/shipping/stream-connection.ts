import { readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates } from 'node:tls';

import { deadline, sleep } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';

import type { Address, TlsFiles } from '../log-config.ts';
import { type Connection, connectTimeoutMs } from './connection.ts';
import { untilAborted } from './until-aborted.ts';

export type StreamAddress = Exclude<Address, { readonly protocol: 'udp' | 'unixgram' }>;

/** What a receiver that dies has in its kernel's buffers is lost; whoever stands this long has read it. */
const settleMs = 1_000;

/** A connection over TCP, TLS or a unix stream socket. */
export class StreamConnection implements Connection {
  readonly settleMs: number = settleMs;
  readonly #socket: Socket;
  readonly #lost = new AbortController();
  #failure: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const lose = (): void => this.#lost.abort(this.#failure ?? new Error('the receiver closed the connection'));
    socket.on('error', (error) => {
      this.#failure = error;
      lose();
    });
    socket.on('end', lose);
    socket.on('close', lose);
    // What receivers say is read by those who ask for it; unread it would hide the end of the stream.
    socket.resume();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async send(messages: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.lost.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(Buffer.concat(messages), (error) => (error ? reject(error) : resolve()));
    await untilAborted(promise, signal, this.lost);
  }

  /** A receiver that answers the end of the stream with its own has read everything. */
  async finish(signal: AbortSignal): Promise<void> {
    this.lost.throwIfAborted();
    this.#socket.end();
    await sleep(settleMs, AbortSignal.any([signal, this.lost])).catch(() => {});
    signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
  }

  onData(listener: (bytes: Buffer) => void): void {
    this.#socket.on('data', listener);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** Throws Unavailable in Docker's words when nobody listens. */
export async function connectStream(
  address: StreamAddress,
  tls: TlsFiles,
  signal: AbortSignal,
): Promise<StreamConnection> {
  const socket = openSocket(address, tls);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.once(address.protocol === 'tls' ? 'secureConnect' : 'connect', resolve);
  try {
    await untilAborted(promise, deadline(connectTimeoutMs, signal));
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw new StatusError('Unavailable', `dial ${describeAddress(address)}`, { cause: error });
  }
  socket.off('error', reject);
  return new StreamConnection(socket);
}

/** As Go's net package names it: `tcp 127.0.0.1:24224`. */
function describeAddress(address: Address): string {
  if ('path' in address) return `${address.protocol} ${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.protocol === 'tls' ? 'tcp' : address.protocol} ${host}:${String(address.port)}`;
}

function openSocket(address: StreamAddress, tls: TlsFiles): Socket {
  if ('path' in address) return createConnection({ path: address.path });
  const { host, port } = address;
  if (address.protocol !== 'tls') return createConnection({ host, port });
  return connectTls({
    host,
    port,
    servername: /^[\d.]+$|:/.test(host) ? '' : host,
    rejectUnauthorized: !tls.skipVerify,
    minVersion: 'TLSv1.2',
    ca: [...getCACertificates('system'), ...contentOf(tls.ca)],
    cert: contentOf(tls.certificate)[0],
    key: contentOf(tls.key)[0],
  });
}

function contentOf(path: string): readonly string[] {
  return path === '' ? [] : [readFileSync(path, 'utf8')];
}
