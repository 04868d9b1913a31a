import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';

import { parseAddress } from '#formats/ip-address.ts';
import { bindInetSocket, closeInetSocket, type InetSocket } from '#sys/inet-socket.ts';
import { inNetns } from '#sys/netns.ts';
import type { Nft } from '#sys/nft/nft.ts';

import { required } from '#base/assert.ts';

import { embeddedServer } from '../resolv-conf.ts';
import { decide, errorReply, type NameZone, responseCodes } from './answer.ts';
import type { Forwarder, Upstream } from './forwarder.ts';
import { frameMessage, MessageReader } from './tcp-framing.ts';

export interface NameServerOptions {
  readonly netnsPath: string;
  /** An earlier process served the namespace: its redirection is replaced. */
  readonly replaces: boolean;
  readonly nft: Nft;
  readonly zone: NameZone;
  readonly forwarder: Forwarder;
  /** Undefined: the container has no way out, so foreign names are not asked for either. Read for each query. */
  readonly upstream: () => Upstream | undefined;
}

const maximumConnections = 64;
const idleTimeoutMs = 10_000;
/** Queries of one container under way at other servers; further ones get SERVFAIL, own names are answered all the same. */
const maximumPending = 256;
/** Name of the table in the container's namespace. */
const tableName = 'slipway_dns';

/**
 * The embedded name server of one container: 127.0.0.11 port 53 (UDP and TCP) in its network namespace. It listens on
 * other ports and is reached by NAT, so that a name server in the container can still have port 53 of all addresses.
 */
export class NameServer implements Disposable {
  readonly #options: NameServerOptions;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  #pending = 0;

  constructor(options: NameServerOptions) {
    this.#options = options;
    const sockets = openSockets(options);
    this.#udp = createSocket('udp4', (query, from) => void this.#onDatagram(query, from));
    // Errors of single datagrams (a client that is gone) concern nobody.
    this.#udp.on('error', () => {});
    this.#udp.bind({ fd: sockets.udp.fd, exclusive: true });
    this.#udp.unref();
    this.#tcp = createServer((connection) => this.#onConnection(connection));
    this.#tcp.maxConnections = maximumConnections;
    this.#tcp.on('error', () => {});
    this.#tcp.listen({ fd: sockets.tcp.fd, exclusive: true });
    this.#tcp.unref();
  }

  [Symbol.dispose](): void {
    this.#udp.close();
    this.#tcp.close();
    for (const connection of this.#connections) connection.destroy();
  }

  async #onDatagram(query: Buffer, { port, address }: RemoteInfo): Promise<void> {
    const reply = await this.#answer(query, 'udp');
    if (reply === undefined) return;
    try {
      this.#udp.send(reply, port, address);
    } catch {
      // The server was closed while the query was under way.
    }
  }

  #onConnection(connection: Socket): void {
    const reader = new MessageReader();
    this.#connections.add(connection);
    connection.on('close', () => this.#connections.delete(connection));
    connection.on('error', () => connection.destroy());
    connection.setTimeout(idleTimeoutMs, () => connection.destroy());
    connection.on('data', (bytes) => {
      for (const query of reader.push(bytes)) void this.#reply(connection, query);
    });
  }

  async #reply(connection: Socket, query: Buffer): Promise<void> {
    const reply = await this.#answer(query, 'tcp');
    if (reply === undefined) connection.destroy();
    else if (connection.writable) connection.write(frameMessage(reply));
  }

  async #answer(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const decision = decide(query, this.#options.zone, transport);
    if (decision === undefined) return undefined;
    if (decision.kind === 'reply') return decision.bytes;
    const upstream = this.#options.upstream();
    if (upstream === undefined || this.#pending >= maximumPending) {
      return errorReply(query, responseCodes.serverFailure);
    }
    this.#pending += 1;
    try {
      return await this.#options.forwarder.forward(query, upstream, transport);
    } finally {
      this.#pending -= 1;
    }
  }
}

/** Bound in the namespace by system calls and handed to Node, which then serves all namespaces from one thread. */
function openSockets({ netnsPath, replaces, nft }: NameServerOptions): {
  readonly udp: InetSocket;
  readonly tcp: InetSocket;
} {
  const address = required(parseAddress(embeddedServer), 'address of the embedded name server');
  const opened: InetSocket[] = [];
  try {
    const open = (protocol: 'udp' | 'tcp'): InetSocket => {
      const socket = inNetns(netnsPath, () => bindInetSocket(protocol, address, 0));
      opened.push(socket);
      return socket;
    };
    const sockets = { udp: open('udp'), tcp: open('tcp') };
    const table = redirection(sockets.udp.port, sockets.tcp.port);
    nft.runIn(netnsPath, replaces ? `${removal}${table}` : table);
    return sockets;
  } catch (error) {
    for (const socket of opened) closeInetSocket(socket);
    throw error;
  }
}

/** Idempotent. Costs the kernel milliseconds, so it is left away where there is nothing to remove. */
const removal = `add table ip ${tableName}\ndelete table ip ${tableName}\n`;

function redirection(udpPort: number, tcpPort: number): string {
  return `table ip ${tableName} {
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr ${embeddedServer} udp dport 53 dnat to ${embeddedServer}:${String(udpPort)}
    ip daddr ${embeddedServer} tcp dport 53 dnat to ${embeddedServer}:${String(tcpPort)}
  }
}`;
}
