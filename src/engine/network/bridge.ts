import { randomBytes } from 'node:crypto';

import { required } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';
import { parseAddress } from '#formats/ip-address.ts';
import { parsePrefix } from '#formats/ip-prefix.ts';
import { changeLink } from '#sys/netlink/change-link.ts';
import { setAddress } from '#sys/netlink/interface-address.ts';
import { findLink, type Link, listLinks, removeLink } from '#sys/netlink/link.ts';
import type { NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import { addBridge } from '#sys/netlink/new-link.ts';
import { writeSysctl } from '#sys/sysctl.ts';

import { type BridgeOptions, parseBridgeOptions } from './bridge-options.ts';
import type { NetworkDefinition } from './network-definition.ts';
import type { Subnet } from './networks.ts';

/**
 * Makes the bridge of a network with its gateway addresses, or brings the one that is there into that state. `owner` is
 * written onto it, so that it is found again without any files. Throws Conflict for an interface that is not ours.
 */
export function ensureBridge(socket: NetlinkSocket, network: NetworkDefinition, hostMtu: number, owner: string): void {
  const name = network.bridgeName;
  const options = parseBridgeOptions(network.options);
  const mtu = options.mtu ?? hostMtu;
  const existing = findLink(socket, name);
  if (existing !== undefined && (existing.kind !== 'bridge' || !belongsTo(existing, owner))) {
    const message = `Cannot create network "${network.name}": interface "${name}" exists already; choose another name for its bridge or remove the interface`;
    throw new StatusError('Conflict', message);
  }
  // With an address of its own from the start, neither udev nor the first container changes it.
  if (existing === undefined) addBridge(socket, { name, macAddress: randomMacAddress(), mtu });
  const { index } = required(findLink(socket, name), `bridge ${name}`);
  try {
    changeLink(socket, index, { alias: ownerText(owner, network.id), mtu });
    configure(name, network.enableIPv6);
    for (const { subnet, gateway } of network.subnets.filter((one) => hasGateway(options, one))) {
      const address = required(parseAddress(gateway), `gateway of ${network.name}`);
      setAddress(socket, { index, address, prefixLength: required(parsePrefix(subnet), 'subnet').length });
    }
    changeLink(socket, index, { up: true });
  } catch (error) {
    if (existing === undefined) removeLink(socket, index);
    throw error;
  }
}

export function removeBridge(socket: NetlinkSocket, name: string): void {
  const link = findLink(socket, name);
  if (link?.kind === 'bridge') removeLink(socket, link.index);
}

/** All bridges that an owner made. */
export function ownBridges(socket: NetlinkSocket, owner: string): readonly Link[] {
  return listLinks(socket).filter((link) => link.kind === 'bridge' && belongsTo(link, owner));
}

/** A locally administered unicast address. */
export function randomMacAddress(): Uint8Array {
  const bytes = Uint8Array.from(randomBytes(6));
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return bytes;
}

/** Whether the host has an address in this subnet. */
function hasGateway(options: BridgeOptions, { subnet }: Subnet): boolean {
  if (subnet.includes(':')) return options.gatewayMode6 !== 'isolated';
  return options.gatewayMode4 !== 'isolated' && !options.inhibitIpv4;
}

function configure(name: string, enableIPv6: boolean): void {
  // Packets from 127.0.0.1 to published ports leave by the bridge; the table's `guard` chain keeps the other way shut.
  writeSysctl(`net/ipv4/conf/${name}/route_localnet`, '1');
  // A container must not be able to announce itself as the host's router.
  writeSysctl(`net/ipv6/conf/${name}/accept_ra`, '0');
  writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, enableIPv6 ? '0' : '1');
  // The bridge asks for containers by its link-local address, which must not be on probation for its first second.
  writeSysctl(`net/ipv6/conf/${name}/accept_dad`, '0');
}

function ownerText(owner: string, networkId: string): string {
  return `${owner} network ${networkId}`;
}

function belongsTo(link: Link, owner: string): boolean {
  return link.alias.startsWith(`${owner} network `);
}
