import type { Socket } from 'node:net';
import { unlinkSync } from 'node:fs';

import { adoptSocket } from '#sys/adopted-socket.ts';
import { systemCall } from '#sys/ffi.ts';

const datagramNonBlocking = 2 | 0x8_0000 | 0x800;
const socketCall = systemCall('int socket(int domain, int type, int protocol)');
const bindCall = systemCall('int bind(int fd, const void *address, int sizeBytes)');

/** A bound SOCK_DGRAM unix socket that collects what it gets, such as journald's or syslog's. */
export class DatagramReceiver implements Disposable {
  readonly path: string;
  readonly received: Buffer[] = [];
  readonly #socket: Socket;

  /** `path` is at most 107 bytes. */
  constructor(path: string) {
    this.path = path;
    const fd = socketCall(path, 1, datagramNonBlocking, 0);
    const address = Buffer.alloc(110);
    address.writeUInt16LE(1, 0);
    address.write(path, 2);
    bindCall(path, fd, address, address.length);
    this.#socket = adoptSocket(fd, { writable: false }).socket;
    this.#socket.on('data', (bytes: Buffer) => this.received.push(Buffer.from(bytes)));
    this.#socket.unref();
  }

  /** Stops reading, so that its queue fills. */
  pause(): void {
    this.#socket.pause();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
    unlinkSync(this.path);
  }
}
