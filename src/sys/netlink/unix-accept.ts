import { fstatSync } from 'node:fs';

import { hasCode } from '../errno.ts';
import { decodeAttributes } from './attributes.ts';
import { NetlinkSocket } from './netlink-socket.ts';

const sockDiag = 4;
const byFamily = 20;
const unixDomain = 1;
const requestBytes = 24;
const answerBytes = 16;
const anyState = 0xffff_ffff;
const showPeer = 0x4;
const noCookie = 0xffff_ffff;
const peerAttribute = 2;

/**
 * Whether the other side of a connected unix socket was accepted: connect(2) succeeds as soon as the server listens, and the
 * peer has no inode before accept(2) (sock_diag(7), UNIX_DIAG_PEER), nor after its end. True where
 * the kernel cannot tell.
 */
export function isAccepted(fd: number): boolean {
  const request = Buffer.alloc(requestBytes);
  request.writeUInt8(unixDomain, 0);
  request.writeUInt32LE(anyState, 4);
  request.writeUInt32LE(fstatSync(fd).ino, 8);
  request.writeUInt32LE(showPeer, 12);
  request.writeUInt32LE(noCookie, 16);
  request.writeUInt32LE(noCookie, 20);
  try {
    using diagnosis = new NetlinkSocket(sockDiag);
    const [answer] = diagnosis.run({ request: 'look at unix socket', type: byFamily, payload: request });
    const peer = answer === undefined ? undefined : decodeAttributes(answer.subarray(answerBytes)).get(peerAttribute);
    return peer === undefined || peer.readUInt32LE() !== 0;
  } catch (error) {
    // A kernel without unix_diag, or a sandbox without such sockets.
    if (hasCode(error, 'ENOENT', 'EPERM', 'EPROTONOSUPPORT', 'EINVAL', 'EOPNOTSUPP')) return true;
    throw error;
  }
}
