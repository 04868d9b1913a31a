import { addressBytes, addressOfBytes, type IpAddress } from '#formats/ip-address.ts';
import { type IpPrefix, prefixOf } from '#formats/ip-prefix.ts';

import { type Attribute, decodeAttributes, encodeAttributes, readU32, u32Attribute } from './attributes.ts';
import { familyNumber } from './family.ts';
import { messageFlags } from './message.ts';
import { NetlinkError, type NetlinkSocket } from './netlink-socket.ts';

/** A unicast route. Its destination of length 0 makes it a default route. */
export interface Route {
  readonly destination: IpPrefix;
  readonly gateway?: IpAddress;
  /** Index of the interface; 0 when the kernel is to find it by the gateway. */
  readonly index: number;
  /** Lower is better. */
  readonly metric?: number;
}

const types = { create: 24, remove: 25, get: 26 };
const attributes = { destination: 1, interface: 4, gateway: 5, metric: 6, table: 15 };
const headerSizeBytes = 12;
const mainTable = 254;
const unicast = 1;
const staticProtocol = 4;
const linkScope = 253;
const families = [4, 6] as const;

/** Adds a route or puts it in the place of the one with the same destination and metric. */
export function setRoute(socket: NetlinkSocket, route: Route): void {
  const flags = messageFlags.create | messageFlags.replace;
  socket.run({ request: 'add route', type: types.create, flags, payload: encode(route) });
}

/** Returns false when there is none such. */
export function removeRoute(socket: NetlinkSocket, route: Route): boolean {
  try {
    socket.run({ request: 'remove route', type: types.remove, payload: encode(route) });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** The unicast routes of the main table. */
export function listRoutes(socket: NetlinkSocket): readonly Route[] {
  return families.flatMap((family) => {
    const payload = Buffer.alloc(headerSizeBytes);
    payload.writeUInt8(familyNumber(family), 0);
    return socket
      .dump({ request: 'list routes', type: types.get, payload })
      .map((answer) => decodeRoute(answer))
      .filter((route) => route !== undefined);
  });
}

/** Undefined for what is not a unicast route of the main table. */
export function decodeRoute(payload: Buffer): Route | undefined {
  if (payload.length < headerSizeBytes || payload.readUInt8(7) !== unicast) return undefined;
  const found = decodeAttributes(payload.subarray(headerSizeBytes));
  if ((readU32(found.get(attributes.table)) ?? payload.readUInt8(4)) !== mainTable) return undefined;
  const family = payload.readUInt8(0) === familyNumber(4) ? 4 : 6;
  const length = payload.readUInt8(1);
  const first = addressOfBytes(found.get(attributes.destination) ?? new Uint8Array(family === 4 ? 4 : 16));
  if (first?.family !== family || length > (family === 4 ? 32 : 128)) return undefined;
  const gateway = addressOfBytes(found.get(attributes.gateway) ?? new Uint8Array());
  const metric = readU32(found.get(attributes.metric));
  return {
    destination: prefixOf(first, length),
    index: readU32(found.get(attributes.interface)) ?? 0,
    ...(gateway === undefined ? {} : { gateway }),
    ...(metric === undefined ? {} : { metric }),
  };
}

function encode({ destination, gateway, index, metric }: Route): Buffer {
  const header = Buffer.alloc(headerSizeBytes);
  header.writeUInt8(familyNumber(destination.address.family), 0);
  header.writeUInt8(destination.length, 1);
  header.writeUInt8(mainTable, 4);
  header.writeUInt8(staticProtocol, 5);
  header.writeUInt8(gateway === undefined ? linkScope : 0, 6);
  header.writeUInt8(unicast, 7);
  const list: Attribute[] = [];
  if (destination.length > 0) list.push({ type: attributes.destination, value: addressBytes(destination.address) });
  if (gateway !== undefined) list.push({ type: attributes.gateway, value: addressBytes(gateway) });
  if (index !== 0) list.push(u32Attribute(attributes.interface, index));
  if (metric !== undefined) list.push(u32Attribute(attributes.metric, metric));
  return Buffer.concat([header, encodeAttributes(list)]);
}
