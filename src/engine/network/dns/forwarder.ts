import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { Socket } from 'node:net';

import { deadline } from '#base/clock.ts';
import { type IpAddress, formatAddress, parseAddress } from '#formats/ip-address.ts';
import { bindInetSocket, connectInetSocket, type InetSocket } from '#sys/inet-socket.ts';
import { inNetns } from '#sys/netns.ts';

import { errorReply, responseCodes } from './answer.ts';
import { frameMessage, MessageReader } from './tcp-framing.ts';

/** Where queries for foreign names go. */
export interface Upstream {
  readonly servers: readonly string[];
  /** The namespace that they are asked from; undefined: the host's. */
  readonly netnsPath: string | undefined;
}

const serverPort = 53;
/** As resolv.conf(5): more servers are not asked. */
const maximumServers = 3;
const timeoutMs = 4_000;
/** Queries under way at once, for all containers together; further ones get SERVFAIL. */
const maximumConcurrent = 1_024;

/** Asks other name servers, one after the other, until one replies. Replies pass as they are. */
export class Forwarder {
  readonly #closed = new AbortController();
  #running = 0;

  /** Always resolves: with SERVFAIL when no server replied. */
  async forward(query: Buffer, upstream: Upstream, transport: 'udp' | 'tcp'): Promise<Buffer> {
    if (this.#running >= maximumConcurrent) return errorReply(query, responseCodes.serverFailure);
    this.#running += 1;
    try {
      let failure: Buffer | undefined;
      for (const server of upstream.servers.slice(0, maximumServers)) {
        const address = parseAddress(server);
        if (address === undefined || this.#closed.signal.aborted) continue;
        const signal = deadline(timeoutMs, this.#closed.signal);
        const ask = transport === 'udp' ? askByUdp : askByTcp;
        const reply = await ask(query, address, upstream, signal).catch(() => undefined);
        if (reply !== undefined && !isFailure(reply)) return reply;
        failure ??= reply;
      }
      return failure ?? errorReply(query, responseCodes.serverFailure);
    } finally {
      this.#running -= 1;
    }
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
  }
}

async function askByUdp(query: Buffer, server: IpAddress, upstream: Upstream, signal: AbortSignal): Promise<Buffer> {
  const own = openIn(upstream.netnsPath, () => bindInetSocket('udp', anyAddress(server), 0));
  const socket = createSocket(server.family === 4 ? 'udp4' : 'udp6');
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    socket.on('error', reject);
    socket.on('message', (reply) => {
      if (isReplyTo(query, reply)) resolve(reply);
    });
    socket.bind({ fd: own.fd, exclusive: true });
    send(socket, query, server, reject);
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.close();
  }
}

/** Connected, so that only this server's datagrams arrive and a refusal is seen at once. */
function send(socket: UdpSocket, query: Buffer, server: IpAddress, reject: (error: Error) => void): void {
  socket.connect(serverPort, formatAddress(server), (error?: Error) => {
    if (error !== undefined) reject(error);
    else
      socket.send(query, (failure) => {
        if (failure !== null) reject(failure);
      });
  });
}

async function askByTcp(query: Buffer, server: IpAddress, upstream: Upstream, signal: AbortSignal): Promise<Buffer> {
  const { fd } = openIn(upstream.netnsPath, () => connectInetSocket('tcp', server, serverPort));
  const socket = new Socket({ fd, readable: true, writable: true });
  const reader = new MessageReader();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (bytes) => {
      for (const reply of reader.push(bytes)) if (isReplyTo(query, reply)) resolve(reply);
    });
    socket.write(frameMessage(query));
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function openIn(netnsPath: string | undefined, make: () => InetSocket): InetSocket {
  return netnsPath === undefined ? make() : inNetns(netnsPath, make);
}

function isReplyTo(query: Buffer, reply: Buffer): boolean {
  return reply.length >= 12 && reply.readUInt16BE(0) === query.readUInt16BE(0) && (reply.readUInt8(2) & 0x80) !== 0;
}

/** A server that cannot or will not answer (SERVFAIL, REFUSED): perhaps the next one can. */
function isFailure(reply: Buffer): boolean {
  return [2, 5].includes(reply.readUInt8(3) & 0xf);
}

function anyAddress({ family }: IpAddress): IpAddress {
  return { family, value: 0n };
}
