import { formatAddress } from '#formats/ip-address.ts';
import { openConntrackSocket, removeFlows, udpProtocol } from '#sys/netlink/conntrack.ts';

import type { SandboxRecord } from './sandbox-record.ts';

/**
 * Has the kernel forget the datagram flows through a container's published ports. A client that goes on sending from the
 * same port keeps its flow alive for ever, and with it the decision of its first packet: to nobody from before the
 * container was there, or to an address that is now somebody else's.
 */
export function forgetDatagramFlows({ sandbox }: SandboxRecord): void {
  const ports = new Set(sandbox.ports.filter(({ protocol }) => protocol === 'udp').map(({ hostPort }) => hostPort));
  if (ports.size === 0) return;
  const addresses = new Set(sandbox.endpoints.flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address]));
  using socket = openConntrackSocket();
  const families = sandbox.endpoints.some(({ ipv6Address }) => ipv6Address !== '') ? ([4, 6] as const) : ([4] as const);
  for (const family of families) {
    removeFlows(
      socket,
      family,
      ({ protocol, destinationPort, replySource }) =>
        protocol === udpProtocol && (ports.has(destinationPort) || addresses.has(formatAddress(replySource))),
    );
  }
}
