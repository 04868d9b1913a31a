import { closeSync } from 'node:fs';
import { Socket } from 'node:net';

import { systemCall } from './ffi.ts';

const unixDomain = 1;
const streamType = 1;
const closeOnExec = 0x8_0000;
const nonBlocking = 0x800;

const socketCall = systemCall('int socket(int domain, int type, int protocol)');
const dup3Call = systemCall('int dup3(int from, int to, int flags)');

export interface AdoptedSocket {
  readonly socket: Socket;
  /** The descriptor's new number; the socket closes it. */
  readonly fd: number;
}

/**
 * Lets Node's event loop read and write a descriptor of a kind that it does not open itself (a SOCK_SEQPACKET socket, an
 * inotify instance): Node looks at the type only once, when it wraps a descriptor, so it gets a stream socket whose place
 * the given descriptor then takes. Takes `fd` over; it must be non-blocking.
 */
export function adoptSocket(fd: number, options: { readonly writable: boolean }): AdoptedSocket {
  try {
    const place = socketCall('', unixDomain, streamType | closeOnExec | nonBlocking, 0);
    const socket = new Socket({ fd: place, readable: true, writable: options.writable, allowHalfOpen: true });
    // Before the event loop turns: it registers the descriptor with epoll only then.
    dup3Call('', fd, place, closeOnExec);
    return { socket, fd: place };
  } finally {
    closeSync(fd);
  }
}
