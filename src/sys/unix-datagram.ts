import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';

const unixDomain = 1;
const datagramType = 2;
const closeOnExec = 0x8_0000;
const dontWait = 0x40;
const noSignal = 0x4000;
const socketLevel = 1;
const sendBufferForce = 32;
/** sun_path of sockaddr_un, with its end. */
const addressBytes = 110;
/** As systemd's own clients have it: entries of the journal may be large, and a datagram must fit in whole. */
const sendBufferBytes = 8 * 1024 * 1024;

const socketCall = systemCall('int socket(int domain, int type, int protocol)');
const connectCall = systemCall('int connect(int fd, const void *address, int sizeBytes)');
const setsockopt = systemCall('int setsockopt(int fd, int level, int name, const void *value, uint32_t size)');
const sendCall = systemCall('int64_t send(int fd, const void *bytes, size_t sizeBytes, int flags)');

/** A connected SOCK_DGRAM unix socket, which node:dgram does not have. Only sends. */
export class UnixDatagramSocket implements Disposable {
  readonly #path: string;
  readonly #fd: number;

  /** Throws SystemError ENOENT, ECONNREFUSED, or EPROTOTYPE when it is another kind of socket. */
  constructor(path: string) {
    this.#path = path;
    // Through the descriptor of its folder, as paths of sockets end at 107 bytes.
    const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    this.#fd = socketCall(path, unixDomain, datagramType | closeOnExec, 0);
    try {
      const address = Buffer.alloc(addressBytes);
      address.writeUInt16LE(unixDomain, 0);
      address.write(`/proc/self/fd/${String(folder)}/${basename(path)}`, 2);
      connectCall(path, this.#fd, address, address.length);
      const size = Buffer.alloc(4);
      size.writeInt32LE(sendBufferBytes);
      setsockopt(path, this.#fd, socketLevel, sendBufferForce, size, size.length);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    } finally {
      closeSync(folder);
    }
  }

  /** Sends one datagram; false when the receiver's queue is full. Throws SystemError, ECONNREFUSED when it went away. */
  send(bytes: Uint8Array): boolean {
    try {
      sendCall(this.#path, this.#fd, bytes, bytes.length, dontWait | noSignal);
      return true;
    } catch (error) {
      if (hasCode(error, 'EAGAIN', 'ENOBUFS')) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
