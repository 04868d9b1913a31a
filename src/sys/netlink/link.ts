import { formatMacAddress } from '#formats/mac-address.ts';

import {
  type Attribute,
  decodeAttributes,
  encodeAttributes,
  readText,
  readU32,
  textAttribute,
  u32Attribute,
} from './attributes.ts';
import { messageFlags } from './message.ts';
import { NetlinkError, type NetlinkSocket } from './netlink-socket.ts';

/** A network interface, as far as we look at it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`, `vxlan`, ...; '' for what has none, such as lo. */
  readonly kind: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly macAddress: string;
  /** Index of the bridge it belongs to; 0 when none. */
  readonly master: number;
  /** Free text that an administrator sees with `ip link`. */
  readonly alias: string;
}

export const linkTypes = { create: 16, remove: 17, get: 18, set: 19 } as const;
export const linkAttributes = {
  address: 1,
  name: 3,
  mtu: 4,
  parent: 5,
  master: 10,
  protocolInfo: 12,
  info: 18,
  alias: 20,
  netnsFd: 28,
  extensions: 29,
} as const;
export const linkInfoAttributes = { kind: 1, data: 2 } as const;
const upFlag = 1;
/** RTEXT_FILTER_SKIP_STATS: counters make most of the work of an answer. */
const withoutCounters: Attribute = u32Attribute(linkAttributes.extensions, 1 << 3);

const infoHeaderSizeBytes = 16;

/** struct ifinfomsg: `up` undefined leaves the state as it is. */
export function encodeLinkHeader(options: { family?: number; index?: number; up?: boolean | undefined } = {}): Buffer {
  const header = Buffer.alloc(infoHeaderSizeBytes);
  header.writeUInt8(options.family ?? 0, 0);
  header.writeInt32LE(options.index ?? 0, 4);
  header.writeUInt32LE(options.up === true ? upFlag : 0, 8);
  header.writeUInt32LE(options.up === undefined ? 0 : upFlag, 12);
  return header;
}

/** Undefined for a payload that is too short to be a link. */
export function decodeLink(payload: Buffer): Link | undefined {
  if (payload.length < infoHeaderSizeBytes) return undefined;
  const attributes = decodeAttributes(payload.subarray(infoHeaderSizeBytes));
  const info = decodeAttributes(attributes.get(linkAttributes.info) ?? new Uint8Array());
  return {
    index: payload.readInt32LE(4),
    up: (payload.readUInt32LE(8) & upFlag) !== 0,
    name: readText(attributes.get(linkAttributes.name)),
    kind: readText(info.get(linkInfoAttributes.kind)),
    mtu: readU32(attributes.get(linkAttributes.mtu)) ?? 0,
    macAddress: formatMacAddress(attributes.get(linkAttributes.address) ?? new Uint8Array()),
    master: readU32(attributes.get(linkAttributes.master)) ?? 0,
    alias: readText(attributes.get(linkAttributes.alias)),
  };
}

export function listLinks(socket: NetlinkSocket): readonly Link[] {
  const payload = linkPayload(encodeLinkHeader(), [withoutCounters]);
  const payloads = socket.dump({ request: 'list links', type: linkTypes.get, payload });
  return payloads.map(decodeLink).filter((link) => link !== undefined);
}

export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  const payload = linkPayload(encodeLinkHeader(), [withoutCounters, textAttribute(linkAttributes.name, name)]);
  try {
    const [answer] = socket.run({ request: `get link ${name}`, type: linkTypes.get, payload });
    return answer === undefined ? undefined : decodeLink(answer);
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return undefined;
    throw error;
  }
}

/** Removes an interface; returns false when there is none of this index. The other end of a veth pair goes with it. */
export function removeLink(socket: NetlinkSocket, index: number): boolean {
  try {
    const payload = encodeLinkHeader({ index });
    socket.run({ request: `remove link ${String(index)}`, type: linkTypes.remove, payload });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return false;
    throw error;
  }
}

/** Sends a request that makes a link; EEXIST when the name is taken. */
export function createLink(socket: NetlinkSocket, name: string, payload: Buffer): void {
  const flags = messageFlags.create | messageFlags.exclusive;
  socket.run({ request: `add link ${name}`, type: linkTypes.create, flags, payload });
}

export function linkPayload(header: Buffer, attributes: readonly Attribute[]): Buffer {
  return Buffer.concat([header, encodeAttributes(attributes)]);
}
