import { addressBytes, type IpAddress } from '#formats/ip-address.ts';

import { type Attribute, nestedAttribute, textAttribute, u32Attribute, u8Attribute } from './attributes.ts';
import { createLink, encodeLinkHeader, linkAttributes, linkInfoAttributes, linkPayload } from './link.ts';
import type { NetlinkSocket } from './netlink-socket.ts';

/** What every new interface can have from the start. Without a MAC address the kernel makes one up. */
export interface NewLink {
  readonly name: string;
  readonly macAddress?: Uint8Array;
  readonly mtu?: number;
  /** Index of the bridge that takes it in. */
  readonly master?: number;
  readonly up?: boolean;
}

/** The other end of a pair: in no bridge, and down, since the kernel cannot open it before its pair exists. */
export interface NewPeer extends Omit<NewLink, 'up' | 'master'> {
  /** The namespace that it appears in, as an open file of it. */
  readonly netnsFd?: number;
}

/** A VXLAN tunnel end (RFC 7348), for unicast peers that are told to it: it floods nothing. */
export interface NewVxlan extends NewLink {
  readonly vni: number;
  readonly local: IpAddress;
  readonly port: number;
  /** Answer ARP for known neighbours instead of sending it through the tunnel. */
  readonly proxyArp: boolean;
}

/** An interface on top of another one. */
export interface NewUpperLink extends NewPeer {
  /** Index of the interface below, in the namespace of the socket. */
  readonly parent: number;
  /** A number of the kernel's `enum macvlan_mode` or `enum ipvlan_mode`. */
  readonly mode: number;
}

const vxlanAttributes = { id: 1, local: 4, learning: 7, proxy: 11, port: 15, local6: 17 };

export function addBridge(socket: NetlinkSocket, link: NewLink): void {
  create(socket, link, 'bridge', []);
}

/** Makes a pair; the peer can be born in another namespace with its final name, so that nothing is to be moved. */
export function addVethPair(socket: NetlinkSocket, link: NewLink, peer: NewPeer): void {
  const peerInfo = 1;
  const value = linkPayload(encodeLinkHeader(), [
    ...commonAttributes(peer),
    ...(peer.netnsFd === undefined ? [] : [u32Attribute(linkAttributes.netnsFd, peer.netnsFd)]),
  ]);
  create(socket, link, 'veth', [{ type: peerInfo | 0x8000, value }]);
}

export function addVxlan(socket: NetlinkSocket, link: NewVxlan): void {
  const port = Buffer.alloc(2);
  port.writeUInt16BE(link.port);
  create(socket, link, 'vxlan', [
    u32Attribute(vxlanAttributes.id, link.vni),
    {
      type: link.local.family === 4 ? vxlanAttributes.local : vxlanAttributes.local6,
      value: addressBytes(link.local),
    },
    u8Attribute(vxlanAttributes.learning, 0),
    u8Attribute(vxlanAttributes.proxy, link.proxyArp ? 1 : 0),
    { type: vxlanAttributes.port, value: port },
  ]);
}

/** An interface with a hardware address of its own (EOPNOTSUPP: the kernel has no macvlan). */
export function addMacvlan(socket: NetlinkSocket, link: NewUpperLink): void {
  const modeAttribute = 1;
  create(socket, link, 'macvlan', [u32Attribute(modeAttribute, link.mode)], upperAttributes(link));
}

/** An interface with the hardware address of its parent (EOPNOTSUPP: the kernel has no ipvlan). */
export function addIpvlan(socket: NetlinkSocket, link: Omit<NewUpperLink, 'macAddress'>): void {
  const modeAttribute = 1;
  const value = Buffer.of(link.mode & 0xff, link.mode >> 8);
  create(socket, link, 'ipvlan', [{ type: modeAttribute, value }], upperAttributes(link));
}

function upperAttributes({ parent, netnsFd }: Pick<NewUpperLink, 'parent' | 'netnsFd'>): readonly Attribute[] {
  const namespace = netnsFd === undefined ? [] : [u32Attribute(linkAttributes.netnsFd, netnsFd)];
  return [u32Attribute(linkAttributes.parent, parent), ...namespace];
}

function create(
  socket: NetlinkSocket,
  link: NewLink,
  kind: string,
  data: readonly Attribute[],
  more: readonly Attribute[] = [],
): void {
  const info = nestedAttribute(linkAttributes.info, [
    textAttribute(linkInfoAttributes.kind, kind),
    nestedAttribute(linkInfoAttributes.data, data),
  ]);
  createLink(
    socket,
    link.name,
    linkPayload(encodeLinkHeader({ up: link.up }), [...commonAttributes(link), ...more, info]),
  );
}

function commonAttributes(link: NewLink): readonly Attribute[] {
  const attributes = [textAttribute(linkAttributes.name, link.name)];
  if (link.macAddress !== undefined) attributes.push({ type: linkAttributes.address, value: link.macAddress });
  if (link.mtu !== undefined) attributes.push(u32Attribute(linkAttributes.mtu, link.mtu));
  if (link.master !== undefined) attributes.push(u32Attribute(linkAttributes.master, link.master));
  return attributes;
}
