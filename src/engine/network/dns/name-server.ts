import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';

import { parseAddress } from '#formats/ip-address.ts';
import { bindInetSocket, closeInetSocket, type InetSocket } from '#sys/inet-socket.ts';
import { inNetns } from '#sys/netns.ts';
import { openFilterSocket } from '#sys/nft/rules.ts';
import { setDeclaration, type SetType } from '#sys/nft/set-elements.ts';
import { makeTable, type TableImage } from '#sys/nft/table.ts';

import { required } from '#base/assert.ts';

import { embeddedServer } from '../resolv-conf.ts';
import { decide, errorReply, type NameZone, responseCodes } from './answer.ts';
import type { Forwarder, Upstream } from './forwarder.ts';
import { frameMessage, MessageReader } from './tcp-framing.ts';

export interface NameServerOptions {
  readonly netnsPath: string;
  /** An earlier process served the namespace: its redirection is replaced. */
  readonly replaces: boolean;
  /** Of `nameTableText`. */
  readonly table: TableImage;
  readonly zone: NameZone;
  readonly forwarder: Forwarder;
  /** Undefined: the container has no way out, so foreign names are not asked for either. Read for each query. */
  readonly upstream: () => Upstream | undefined;
}

const dnsPort = 53;
const maximumConnections = 64;
const idleTimeoutMs = 10_000;
/** Queries of one container under way at other servers; further ones get SERVFAIL, own names are answered all the same. */
const maximumPending = 256;

const serversType: SetType = { key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] };

/** The table in the container's namespace that leads queries to where we listen. */
export const nameTableText = `table ip slipway_dns {
  ${setDeclaration('servers', serversType)}
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr ${embeddedServer} dnat ip to meta l4proto . th dport map @servers
  }
}`;

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
function openSockets({ netnsPath, replaces, table }: NameServerOptions): {
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
    const elements = (['udp', 'tcp'] as const).map((protocol) => ({
      key: [protocol, dnsPort],
      data: [embeddedServer, sockets[protocol].port],
    }));
    inNetns(netnsPath, () => {
      using filter = openFilterSocket();
      // Replacing costs the kernel milliseconds, so it is left away where there is nothing to replace.
      makeTable(filter, table, [{ set: 'servers', type: serversType, elements }], { replace: replaces });
    });
    return sockets;
  } catch (error) {
    for (const socket of opened) closeInetSocket(socket);
    throw error;
  }
}
