import { closeSync, openSync } from 'node:fs';

import { required } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';
import { parseMacAddress } from '#formats/mac-address.ts';
import { hasCode } from '#sys/errno.ts';
import { findLink, type Link, removeLink } from '#sys/netlink/link.ts';
import { type NetlinkSocket, openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { addIpvlan, addMacvlan } from '#sys/netlink/new-link.ts';
import { inNetns } from '#sys/netns.ts';

import { configureInside } from './container-link.ts';
import { isParentDriver, type MacvlanOptions, type ParentDriver, parseMacvlanOptions } from './macvlan-options.ts';
import type { NetworkDefinition } from './network-definition.ts';
import type { Endpoint } from './networks.ts';

/** An interface of the host that containers have interfaces on. */
export interface ParentLink extends MacvlanOptions {
  readonly driver: ParentDriver;
}

/** Undefined for a network of another driver. */
export function parentOf(network: Pick<NetworkDefinition, 'driver' | 'options'>): ParentLink | undefined {
  const { driver, options } = network;
  return isParentDriver(driver) ? { driver, ...parseMacvlanOptions(driver, options) } : undefined;
}

/**
 * Whether the host can have interfaces of this kind on the network's parent, tried with one that goes at once. Throws
 * NotFound, NotSupported when the kernel lacks the driver, Conflict when the interface is used in another way.
 */
export function checkParentLink(socket: NetlinkSocket, network: NetworkDefinition): void {
  const parent = required(parentOf(network), `parent of ${network.name}`);
  const name = `sp-${network.id.slice(0, 12)}`;
  add(socket, parent, { name });
  const link = findLink(socket, name);
  if (link !== undefined) removeLink(socket, link.index);
}

/** Makes an endpoint's interface, at once in the namespace of the container. Throws what `checkParentLink` throws. */
export function addParentEndpoint(
  socket: NetlinkSocket,
  netnsPath: string,
  endpoint: Endpoint,
  parent: ParentLink,
): void {
  const macAddress = required(parseMacAddress(endpoint.macAddress), 'MAC address');
  const netnsFd = openSync(netnsPath, 'r');
  try {
    add(socket, parent, { name: endpoint.interfaceName, netnsFd, macAddress });
  } finally {
    closeSync(netnsFd);
  }
  try {
    inNetns(netnsPath, () => configureInside(endpoint));
  } catch (error) {
    removeParentEndpoint(netnsPath, endpoint);
    throw error;
  }
}

/**
 * Removes an endpoint's interface from a namespace that lives on, or that may be gone. Before a namespace goes, too: it goes
 * later, and until then its interfaces keep their hardware addresses.
 */
export function removeParentEndpoint(netnsPath: string, { interfaceName }: Endpoint): void {
  try {
    inNetns(netnsPath, () => {
      using inner = openRouteSocket();
      const link = findLink(inner, interfaceName);
      if (link !== undefined) removeLink(inner, link.index);
    });
  } catch (error) {
    // No such namespace, or a file that a crash left in its place.
    if (!hasCode(error, 'ENOENT', 'EINVAL')) throw error;
  }
}

function add(
  socket: NetlinkSocket,
  { driver, parent, mode, mtu }: ParentLink,
  link: { readonly name: string; readonly netnsFd?: number; readonly macAddress?: Uint8Array },
): void {
  const { index }: Link = findLink(socket, parent) ?? missing(parent);
  const { macAddress, ...rest } = link;
  const wanted = { ...rest, parent: index, mode, ...(mtu !== undefined && { mtu }) };
  try {
    // Interfaces of ipvlan have the hardware address of their parent.
    if (driver === 'ipvlan') addIpvlan(socket, wanted);
    else addMacvlan(socket, { ...wanted, ...(macAddress !== undefined && { macAddress }) });
  } catch (error) {
    if (hasCode(error, 'ENOTSUP', 'EOPNOTSUPP')) {
      const message = `Cannot use driver ${driver}: this machine's kernel does not have it; load its module or use bridge`;
      throw new StatusError('NotSupported', message, { cause: error });
    }
    if (hasCode(error, 'EBUSY', 'EINVAL')) {
      const message = `Cannot use interface "${parent}" for ${driver}: it is part of a bridge or used by another driver; choose another`;
      throw new StatusError('Conflict', message, { cause: error });
    }
    throw error;
  }
}

function missing(parent: string): never {
  const message = `Cannot use interface "${parent}": there is none of this name on this machine; choose another parent`;
  throw new StatusError('NotFound', message);
}
