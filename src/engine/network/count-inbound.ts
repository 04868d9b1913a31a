import { formatAddress } from '#formats/ip-address.ts';
import { listFlows, openConntrackSocket, tcpProtocol } from '#sys/netlink/conntrack.ts';

import type { SandboxRecord } from './sandbox-record.ts';

/**
 * States in which a TCP connection may still carry something (enum tcp_conntrack of the kernel): from SYN_SENT to
 * CLOSE_WAIT; what comes after only waits for late packets.
 */
const lastOpenState = 5;

/** TCP connections to a container's addresses that have not ended, also those through published ports. */
export function countInbound({ sandbox }: SandboxRecord): number {
  const addresses = new Set(sandbox.endpoints.flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address]));
  using socket = openConntrackSocket();
  let count = 0;
  for (const family of [4, 6] as const) {
    if (family === 6 && !sandbox.endpoints.some(({ ipv6Address }) => ipv6Address !== '')) continue;
    for (const { protocol, replySource, tcpState } of listFlows(socket, family)) {
      const isOpen = protocol === tcpProtocol && tcpState !== undefined && tcpState > 0 && tcpState <= lastOpenState;
      if (isOpen && addresses.has(formatAddress(replySource))) count += 1;
    }
  }
  return count;
}
