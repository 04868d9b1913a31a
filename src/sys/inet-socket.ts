import { addressBytes, formatAddress, type IpAddress } from '#formats/ip-address.ts';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';

/** Type of socket and protocol; those of TCP and UDP follow from the type. */
const protocols = { tcp: { type: 1, number: 0 }, udp: { type: 2, number: 0 }, sctp: { type: 1, number: 132 } } as const;
const flags = { nonBlocking: 0o4000, closeOnExec: 0o2000000 };
const options = { socketLevel: 1, reuseAddress: 2, ipv6Level: 41, ipv6Only: 26 };

const socket = systemCall('int socket(int domain, int type, int protocol)');
const setsockopt = systemCall('int setsockopt(int fd, int level, int name, const void *value, uint32_t size)');
const bindCall = systemCall('int bind(int fd, const void *address, uint32_t size)');
const connectCall = systemCall('int connect(int fd, const void *address, uint32_t size)');
const listenCall = systemCall('int listen(int fd, int backlog)');
const getsockname = systemCall('int getsockname(int fd, void *address, void *size)');
const closeCall = systemCall('int close(int fd)');

export type InetProtocol = keyof typeof protocols;

/** An open socket of our own; `fd` can be handed to node:net or node:dgram, which then own it. */
export interface InetSocket {
  readonly fd: number;
  readonly port: number;
}

/**
 * A socket bound in the current network namespace; TCP and SCTP listen. Made at once by system calls, where node:net takes turns of
 * the event loop. Port 0: the kernel chooses. Throws SystemError EADDRINUSE, EADDRNOTAVAIL, EACCES, ...
 */
export function bindInetSocket(protocol: InetProtocol, address: IpAddress, port: number): InetSocket {
  return withSocket(protocol, address, (fd, subject) => {
    const on = Buffer.from([1, 0, 0, 0]);
    // Connections of a server that just ended (TIME_WAIT) do not keep a port; listening ones still do.
    if (protocol === 'tcp') setsockopt(subject, fd, options.socketLevel, options.reuseAddress, on, on.length);
    if (address.family === 6) setsockopt(subject, fd, options.ipv6Level, options.ipv6Only, on, on.length);
    const name = encodeSocketAddress(address, port);
    bindCall(`${subject}:${String(port)}`, fd, name, name.length);
    const backlog = 511;
    if (protocol !== 'udp') listenCall(`${subject}:${String(port)}`, fd, backlog);
    return { fd, port: boundPort(fd, name.length) };
  });
}

/** A socket connecting from the current network namespace; for TCP the handshake may still be under way. */
export function connectInetSocket(protocol: InetProtocol, address: IpAddress, port: number): InetSocket {
  return withSocket(protocol, address, (fd, subject) => {
    const name = encodeSocketAddress(address, port);
    try {
      connectCall(`${subject}:${String(port)}`, fd, name, name.length);
    } catch (error) {
      if (!hasCode(error, 'EINPROGRESS')) throw error;
    }
    return { fd, port };
  });
}

/** For a socket that no one took over. */
export function closeInetSocket(opened: InetSocket): void {
  closeCall('', opened.fd);
}

/** struct sockaddr_in or sockaddr_in6. */
export function encodeSocketAddress(address: IpAddress, port: number): Buffer {
  const name = Buffer.alloc(address.family === 4 ? 16 : 28);
  name.writeUInt16LE(domainOf(address), 0);
  name.writeUInt16BE(port, 2);
  name.set(addressBytes(address), address.family === 4 ? 4 : 8);
  return name;
}

function withSocket<T>(protocol: InetProtocol, address: IpAddress, work: (fd: number, subject: string) => T): T {
  const subject = `${protocol} ${formatAddress(address)}`;
  const { type, number } = protocols[protocol];
  const fd = socket(subject, domainOf(address), type | flags.nonBlocking | flags.closeOnExec, number);
  try {
    return work(fd, subject);
  } catch (error) {
    closeCall(subject, fd);
    throw error;
  }
}

function boundPort(fd: number, sizeBytes: number): number {
  const name = Buffer.alloc(sizeBytes);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(sizeBytes);
  getsockname('', fd, name, size);
  return name.readUInt16BE(2);
}

function domainOf(address: IpAddress): number {
  return address.family === 4 ? 2 : 10;
}
