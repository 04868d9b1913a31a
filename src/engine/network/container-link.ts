import { closeSync, openSync } from 'node:fs';

import { required } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';
import { type IpAddress, parseAddress } from '#formats/ip-address.ts';
import { parsePrefix } from '#formats/ip-prefix.ts';
import { parseMacAddress } from '#formats/mac-address.ts';
import { hasCode } from '#sys/errno.ts';
import { changeBridgePort, changeLink } from '#sys/netlink/change-link.ts';
import { setAddress } from '#sys/netlink/interface-address.ts';
import { findLink, type Link, listLinks, removeLink } from '#sys/netlink/link.ts';
import { type NetlinkSocket, openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { addVethPair } from '#sys/netlink/new-link.ts';
import { removeRoute, setRoute } from '#sys/netlink/route.ts';
import { createNetns, inNetns } from '#sys/netns.ts';
import { writeSysctl } from '#sys/sysctl.ts';

import { randomMacAddress } from './bridge.ts';
import { parseEndpointOptions } from './endpoint-options.ts';
import type { Gateways } from './endpoint-plan.ts';
import type { Endpoint } from './networks.ts';

/** How a container's interface hangs on its bridge. */
export interface Attachment {
  readonly bridgeName: string;
  readonly mtu: number;
  /** Containers of the bridge do not talk to each other. */
  readonly isolated: boolean;
  /** The container reaches its own published ports. */
  readonly hairpin: boolean;
}

/** Name of an endpoint's interface on the host, at most 15 bytes. */
export function hostInterfaceName(endpointId: string): string {
  return `sv-${endpointId.slice(0, 12)}`;
}

/** Makes a network namespace (or takes the one at `made`), and brings its loopback up. */
export function makeNamespace(path: string, made?: string): void {
  createNetns(path, made);
  inNetns(path, () => {
    using inner = openRouteSocket();
    const loopbackIndex = 1;
    changeLink(inner, loopbackIndex, { up: true });
    // As Docker has it: a process without capabilities may have port 80, and ping works.
    writeSysctl('net/ipv4/ip_unprivileged_port_start', '0');
    writeSysctl('net/ipv4/ping_group_range', '0 2147483647');
  });
}

/** Makes the pair of interfaces of an endpoint: one in the container with its addresses, one on the bridge. */
export function attachEndpoint(host: NetlinkSocket, netnsPath: string, endpoint: Endpoint, to: Attachment): void {
  const name = hostInterfaceName(endpoint.endpointId);
  const bridge = required(findLink(host, to.bridgeName), `bridge ${to.bridgeName}`);
  const netnsFd = openSync(netnsPath, 'r');
  try {
    addVethPair(
      host,
      { name, master: bridge.index, mtu: to.mtu, macAddress: randomMacAddress() },
      {
        name: endpoint.interfaceName,
        netnsFd,
        mtu: to.mtu,
        macAddress: required(parseMacAddress(endpoint.macAddress), 'MAC address'),
      },
    );
  } finally {
    closeSync(netnsFd);
  }
  const { index } = required(findLink(host, name), name);
  try {
    // The host's end is a port of the bridge and speaks to nobody itself.
    writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, '1');
    changeLink(host, index, { up: true });
    changeBridgePort(host, index, { isolated: to.isolated, hairpin: to.hairpin });
    inNetns(netnsPath, () => configureInside(endpoint));
    for (const link of [name, to.bridgeName]) settle(host, link);
  } catch (error) {
    removeLink(host, index);
    throw error;
  }
}

/**
 * Takes an endpoint off its bridge at once, for a namespace that is about to go: the kernel removes the interfaces with it,
 * later. Removing them here would wait tens of milliseconds for all processors, and stop this process for as long.
 */
export function silenceEndpoint(host: NetlinkSocket, endpoint: Pick<Endpoint, 'endpointId'>): void {
  const link = findLink(host, hostInterfaceName(endpoint.endpointId));
  if (link === undefined) return;
  // What a killed process did not finish is down, and not yet a port that could be shut.
  if (link.up && link.master !== 0) changeBridgePort(host, link.index, { disabled: true });
  else removeLink(host, link.index);
}

/** Removes an endpoint's interfaces, on both sides (idempotent). */
export function detachEndpoint(host: NetlinkSocket, endpoint: Pick<Endpoint, 'endpointId'>): void {
  const link = findLink(host, hostInterfaceName(endpoint.endpointId));
  if (link !== undefined) removeLink(host, link.index);
}

/** The interfaces of endpoints on the host that hang on these bridges. */
export function attachedLinks(host: NetlinkSocket, bridgeNames: ReadonlySet<string>): readonly Link[] {
  const links = listLinks(host);
  const bridges = new Set(links.filter(({ name }) => bridgeNames.has(name)).map(({ index }) => index));
  return links.filter(({ master, name }) => bridges.has(master) && name.startsWith('sv-'));
}

export function setHairpin(host: NetlinkSocket, endpoint: Endpoint, hairpin: boolean): void {
  const link = findLink(host, hostInterfaceName(endpoint.endpointId));
  if (link !== undefined) changeBridgePort(host, link.index, { hairpin });
}

/** Sends what leaves the container's networks by the gateways of `after` and no longer by those of `before`. */
export function setDefaultRoutes(netnsPath: string, after: Gateways, before: Gateways): void {
  inNetns(netnsPath, () => {
    using inner = openRouteSocket();
    for (const [everywhere, endpoint, gateway, then] of [
      ['0.0.0.0/0', after.ipv4, after.ipv4?.ipv4Gateway, before.ipv4],
      ['::/0', after.ipv6, after.ipv6?.ipv6Gateway, before.ipv6],
    ] as const) {
      if (then?.endpointId === endpoint?.endpointId) continue;
      const destination = required(parsePrefix(everywhere), 'prefix');
      if (then !== undefined) removeRoute(inner, { destination, index: 0 });
      if (gateway === undefined || endpoint === undefined) continue;
      const { index } = required(findLink(inner, endpoint.interfaceName), endpoint.interfaceName);
      setRoute(inner, { destination, gateway: readAddress(gateway), index });
    }
  });
}

/** Gives an interface its addresses and brings it up; the thread is in the container's namespace. */
export function configureInside(endpoint: Endpoint): void {
  const name = endpoint.interfaceName;
  const path = `net/ipv6/conf/${name}`;
  if (endpoint.ipv6Address === '') writeSysctl(`${path}/disable_ipv6`, '1');
  // With a hairpin the container hears its own probes for duplicate addresses; and ours are unique.
  else writeSysctl(`${path}/accept_dad`, '0');
  for (const { path: template, value } of parseEndpointOptions(endpoint.driverOptions).sysctls) {
    setOwnSysctl(template.replace('IFNAME', name), value);
  }
  using inner = openRouteSocket();
  const { index } = required(findLink(inner, name), name);
  changeLink(inner, index, { up: true });
  for (const [text, prefixLength] of [
    [endpoint.ipv4Address, endpoint.ipv4PrefixLength],
    [endpoint.ipv6Address, endpoint.ipv6PrefixLength],
  ] as const) {
    if (text !== '') setAddress(inner, { index, address: readAddress(text), prefixLength });
  }
  for (const text of endpoint.linkLocalAddresses) {
    const address = readAddress(text);
    setAddress(inner, { index, address, prefixLength: address.family === 4 ? 16 : 64 });
  }
  settle(inner, name);
}

function setOwnSysctl(path: string, value: string): void {
  const refused = (state: string, cause?: unknown): StatusError =>
    new StatusError('InvalidArgument', `Cannot set sysctl "${path}" to "${value}": ${state}; correct it`, { cause });
  try {
    if (!writeSysctl(path, value)) throw refused('the kernel has none of this name');
  } catch (error) {
    if (hasCode(error, 'EINVAL', 'EACCES', 'EPERM')) throw refused('the kernel does not take it', error);
    throw error;
  }
}

/**
 * Has the kernel act on the carrier that a link just got, which it else does some time later: until then a bridge port drops
 * frames, and a first ARP request that is lost costs a second. Asking for one link does it, since Linux 6.6.
 */
function settle(socket: NetlinkSocket, name: string): void {
  findLink(socket, name);
}

function readAddress(text: string): IpAddress {
  return required(parseAddress(text), `address ${text}`);
}
