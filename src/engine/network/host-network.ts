import { type IpPrefix, prefixOf } from '#formats/ip-prefix.ts';
import { listAddresses } from '#sys/netlink/interface-address.ts';
import { listLinks } from '#sys/netlink/link.ts';
import type { NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import { listRoutes } from '#sys/netlink/route.ts';
import { readSysctl, writeSysctl } from '#sys/sysctl.ts';

const usualMtu = 1500;

/** The subnets that the host's interfaces and routes use, but for default routes and those of `ownBridges`. */
export function hostSubnets(socket: NetlinkSocket, ownBridges: ReadonlySet<string>): readonly IpPrefix[] {
  const own = new Set(
    listLinks(socket)
      .filter(({ name }) => ownBridges.has(name))
      .map(({ index }) => index),
  );
  const routed = listRoutes(socket)
    .filter(({ destination, index }) => destination.length > 0 && !own.has(index))
    .map(({ destination }) => destination);
  const addressed = listAddresses(socket)
    .filter(({ index }) => !own.has(index))
    .map(({ address, prefixLength }) => prefixOf(address, prefixLength));
  return [...routed, ...addressed];
}

/** The largest packet that leaves by the host's default route, bytes. */
export function hostMtu(socket: NetlinkSocket): number {
  const defaults = listRoutes(socket).filter(({ destination }) => destination.length === 0);
  const best = defaults.toSorted((one, other) => (one.metric ?? 0) - (other.metric ?? 0))[0];
  if (best === undefined) return usualMtu;
  return listLinks(socket).find(({ index }) => index === best.index)?.mtu ?? usualMtu;
}

/** Makes the host pass packets on between its interfaces; returns whether it did not before. */
export function enableForwarding(): boolean {
  if (readSysctl('net/ipv4/ip_forward') === '1') return false;
  writeSysctl('net/ipv4/ip_forward', '1');
  return true;
}

/**
 * The same for IPv6. A host that forwards ignores router advertisements, and would lose its own default route: interfaces
 * that took them go on to (accept_ra 2, see the kernel's ip-sysctl).
 */
export function enableIpv6Forwarding(socket: NetlinkSocket): void {
  if (readSysctl('net/ipv6/conf/all/forwarding') === '1') return;
  for (const { name } of listLinks(socket)) {
    if (readSysctl(`net/ipv6/conf/${name}/accept_ra`) === '1') writeSysctl(`net/ipv6/conf/${name}/accept_ra`, '2');
  }
  writeSysctl('net/ipv6/conf/default/forwarding', '1');
  writeSysctl('net/ipv6/conf/all/forwarding', '1');
}
