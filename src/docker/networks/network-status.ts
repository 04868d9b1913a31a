import type { Network, Subnet } from '#engine/network/networks.ts';
import { type IpAddress, parseAddress } from '#formats/ip-address.ts';
import { addressAt, containsAddress, type IpPrefix, parsePrefix, prefixSize } from '#formats/ip-prefix.ts';

import { rawNumber } from '../text/raw-number.ts';

const uint64Most = 2n ** 64n - 1n;

/** `Status` of GET /networks/{id} since 1.52: how many addresses each subnet has given, and has left for endpoints. */
export function networkStatus(network: Network): object {
  const taken = network.endpoints.flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address]);
  const subnets = network.subnets.flatMap((subnet) => {
    const prefix = parsePrefix(subnet.subnet);
    return prefix === undefined ? [] : [[subnet.subnet, subnetStatus(subnet, prefix, taken)] as const];
  });
  return { IPAM: { Subnets: Object.fromEntries(subnets) } };
}

function subnetStatus(subnet: Subnet, prefix: IpPrefix, taken: readonly string[]): object {
  const inUse = new Set<bigint>(reservedAddresses(prefix).map(({ value }) => value));
  for (const text of [subnet.gateway, ...Object.values(subnet.auxAddresses ?? {}), ...taken]) {
    const address = parseAddress(text);
    if (address !== undefined && containsAddress(prefix, address)) inUse.add(address.value);
  }
  const range = (subnet.ipRange === undefined ? undefined : parsePrefix(subnet.ipRange)) ?? prefix;
  const inRange = [...inUse].filter((value) => containsAddress(range, { family: range.address.family, value }));
  return {
    IPsInUse: inUse.size,
    DynamicIPsAvailable: saturated(prefixSize(range) - BigInt(inRange.length)),
  };
}

/** The subnet's own address, and the broadcast address of IPv4. */
function reservedAddresses(prefix: IpPrefix): readonly IpAddress[] {
  return prefix.address.family === 4 ? [prefix.address, addressAt(prefix, -1n)] : [prefix.address];
}

function saturated(count: bigint): unknown {
  return rawNumber(count > uint64Most ? uint64Most : count);
}
