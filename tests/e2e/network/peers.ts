import { createSocket } from 'node:dgram';
import { createServer, Socket } from 'node:net';

import { after, every } from '#base/clock.ts';
import { bindInetSocket, connectInetSocket, type InetSocket } from '#sys/inet-socket.ts';
import { inNetns } from '#sys/netns.ts';

import { ip } from '../../kit/private-host.ts';

/** A network namespace by its path; undefined: the simulated host's. */
export type Place = string | undefined;

const deadlineMs = 60_000;
/** How long nothing must come for it to count as cut off: too short can only make a test pass that should not. */
const silenceMs = 700;

/** A server that tells each client its name and the address it sees the client under. */
export function serveTcp(place: Place, port: number, name: string, address = '0.0.0.0'): Disposable {
  const { fd } = inPlace(place, () => bindInetSocket('tcp', ip(address), port));
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => {});
    client.on('close', () => clients.delete(client));
    client.end(`${name} ${plain(client.remoteAddress ?? '')}`);
  });
  server.listen({ fd });
  return {
    [Symbol.dispose]: () => {
      server.close();
      // Those whose last packets were lost with the rules would keep the process.
      for (const client of clients) client.destroy();
    },
  };
}

/** What a TCP server at the address says. Rejects with ECONNREFUSED and the like. */
export async function askTcp(place: Place, address: string, port: number, timeoutMs = deadlineMs): Promise<string> {
  const { fd } = inPlace(place, () => connectInetSocket('tcp', ip(address), port));
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error('silence')));
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } finally {
    socket.destroy();
  }
  return Buffer.concat(chunks).toString();
}

/** Answers each datagram with its name and the client's address. */
export function serveUdp(place: Place, port: number, name: string, address = '0.0.0.0'): Disposable {
  const family = ip(address).family === 4 ? 'udp4' : 'udp6';
  const { fd } = inPlace(place, () => bindInetSocket('udp', ip(address), port));
  const socket = createSocket(family, (_message, from) => {
    socket.send(`${name} ${plain(from.address)}`, from.port, from.address);
  });
  socket.on('error', () => {});
  socket.bind({ fd });
  return { [Symbol.dispose]: () => socket.close() };
}

/** Counts datagrams that reach an address of the host. */
export function udpListener(
  address: string,
  port: number,
): Disposable & { readonly first: Promise<void>; count(): number } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const socket = createSocket('udp4', () => {
    count += 1;
    resolve();
  });
  socket.bind({ fd: bindInetSocket('udp', ip(address), port).fd });
  return { first: promise, count: () => count, [Symbol.dispose]: () => socket.close() };
}

/** Sends datagrams, again and again as clients do, until one is answered. Rejects after `timeoutMs`. */
export async function askUdp(
  place: Place,
  address: string,
  port: number,
  message: Uint8Array = Buffer.from('?'),
  timeoutMs = deadlineMs,
): Promise<Buffer> {
  const client = udpClient(place, ip(address).family);
  try {
    return await client.ask(address, port, message, timeoutMs);
  } finally {
    client[Symbol.dispose]();
  }
}

/** A client that keeps its port. */
export function udpClient(
  place: Place,
  family: 4 | 6,
): Disposable & { ask(address: string, port: number, message?: Uint8Array, timeoutMs?: number): Promise<Buffer> } {
  const { fd } = inPlace(place, () => bindInetSocket('udp', { family, value: 0n }, 0));
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  socket.on('error', () => {});
  socket.bind({ fd });
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  return {
    ask: async (address, port, message = Buffer.from('?'), timeoutMs = deadlineMs) => {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      const send = (): void => socket.send(message, port, address);
      socket.once('message', resolve);
      using _again = every(200, send);
      using _end = after(timeoutMs, () => reject(new Error('silence')));
      send();
      try {
        return await Promise.race([promise, closed.promise]);
      } finally {
        socket.removeAllListeners('message');
      }
    },
    [Symbol.dispose]: () => {
      closed.reject(new Error('closed'));
      // After the asking that this ends has ended.
      setImmediate(() => socket.close());
    },
  };
}

/** Whether nothing answers: neither a server, nor the kernel for a missing one. */
export async function isCutOff(place: Place, address: string, port: number): Promise<boolean> {
  try {
    await askTcp(place, address, port, silenceMs);
    return false;
  } catch (error) {
    return error instanceof Error && (error.message === 'silence' || /EHOSTUNREACH|ENETUNREACH/.test(error.message));
  }
}

function inPlace(place: Place, make: () => InetSocket): InetSocket {
  return place === undefined ? make() : inNetns(place, make);
}

/** Without the prefix that IPv4 addresses have on sockets of both families. */
function plain(address: string): string {
  return address.replace(/^::ffff:/, '');
}
