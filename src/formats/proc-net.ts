import { addressOfBytes, formatAddress } from './ip-address.ts';

/** A socket of /proc/PID/net/{tcp,tcp6,udp,udp6} that takes what comes from others. */
export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
  /** Number of its inode, by which `/proc/PID/fd` names it. */
  readonly inode: string;
}

/** States of include/net/tcp_states.h: TCP sockets listen, and UDP sockets without a peer are said to be closed. */
const states = { tcp: '0A', udp: '07' } as const;

/** The sockets that listen; lines that are none are left out (kernel: net/ipv4/tcp_ipv4.c, tcp4_seq_show). */
export function parseListeningSockets(text: string, protocol: 'tcp' | 'udp'): readonly ListeningSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [, hex = '', portHex = ''] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local) ?? [];
    const address = hex === '' ? undefined : addressOfBytes(hostOrder(hex));
    if (address === undefined || state !== states[protocol] || !/^\d+$/.test(inode)) return [];
    return [{ address: formatAddress(address), port: Number.parseInt(portHex, 16), inode }];
  });
}

/** Addresses are written as words of four bytes in the machine's order, which is little-endian on all that we run on. */
function hostOrder(hex: string): Uint8Array {
  const bytes = Buffer.from(hex, 'hex');
  for (let offset = 0; offset < bytes.length; offset += 4) bytes.subarray(offset, offset + 4).reverse();
  return bytes;
}
