import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import { type AdoptedSocket, adoptSocket } from './adopted-socket.ts';
import { systemCall } from './ffi.ts';

const unixDomain = 1;
const sequentialPackets = 5;
const closeOnExec = 0x8_0000;
const nonBlocking = 0x800;
/** sun_path of sockaddr_un, with its end. */
const addressBytes = 110;

const socketCall = systemCall('int socket(int domain, int type, int protocol)');
const connectCall = systemCall('int connect(int fd, const void *address, int sizeBytes)');

/**
 * Connects to a SOCK_SEQPACKET unix socket, which node:net cannot. Each `data` event is one packet (up to 64 KiB); a
 * write is one packet as long as the one before was handed over (its callback came), else Node joins them. `end` shuts
 * the sending side. Throws SystemError ENOENT or ECONNREFUSED when nobody listens.
 */
export function connectSeqpacket(path: string): AdoptedSocket {
  // Through the descriptor of its folder, as paths of sockets end at 107 bytes.
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  let fd = -1;
  try {
    fd = socketCall(path, unixDomain, sequentialPackets | closeOnExec | nonBlocking, 0);
    const address = Buffer.alloc(addressBytes);
    address.writeUInt16LE(unixDomain, 0);
    address.write(`/proc/self/fd/${String(folder)}/${basename(path)}`, 2);
    connectCall(path, fd, address, address.length);
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    throw error;
  } finally {
    closeSync(folder);
  }
  return adoptSocket(fd, { writable: true });
}
