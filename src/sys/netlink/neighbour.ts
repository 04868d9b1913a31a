import { addressBytes, addressOfBytes, type IpAddress } from '#formats/ip-address.ts';
import { formatMacAddress } from '#formats/mac-address.ts';

import { type Attribute, decodeAttributes, encodeAttributes } from './attributes.ts';
import { familyNumber } from './family.ts';
import { messageFlags } from './message.ts';
import { NetlinkError, type NetlinkSocket } from './netlink-socket.ts';

/** A permanent entry of the neighbour table: the IP address is at this MAC address behind the interface. */
export interface Neighbour {
  readonly index: number;
  readonly address: IpAddress;
  readonly macAddress: Uint8Array;
}

/** A permanent entry of a forwarding table: frames for the MAC address leave to the tunnel end `destination`. */
export interface ForwardingEntry {
  readonly index: number;
  readonly macAddress: Uint8Array;
  readonly destination: IpAddress;
}

const types = { create: 28, remove: 29, get: 30 };
const attributes = { destination: 1, macAddress: 2 };
const headerSizeBytes = 12;
const permanentState = 0x80;
const selfFlag = 0x02;
const bridgeFamily = 7;
const replaceFlags = messageFlags.create | messageFlags.replace;

export function setNeighbour(socket: NetlinkSocket, entry: Neighbour): void {
  const payload = encodeNeighbour(entry);
  socket.run({ request: 'add neighbour', type: types.create, flags: replaceFlags, payload });
}

/** Returns false when there is none such. */
export function removeNeighbour(socket: NetlinkSocket, entry: Neighbour): boolean {
  return remove(socket, 'remove neighbour', encodeNeighbour(entry));
}

export function setForwarding(socket: NetlinkSocket, entry: ForwardingEntry): void {
  const payload = encodeForwarding(entry);
  socket.run({ request: 'add forwarding entry', type: types.create, flags: replaceFlags, payload });
}

/** Returns false when there is none such. */
export function removeForwarding(socket: NetlinkSocket, entry: ForwardingEntry): boolean {
  return remove(socket, 'remove forwarding entry', encodeForwarding(entry));
}

/** The permanent neighbours of an interface, IPv4 and IPv6. */
export function listNeighbours(socket: NetlinkSocket, index: number): readonly Neighbour[] {
  return ([4, 6] as const)
    .flatMap((family) => dump(socket, 'list neighbours', familyNumber(family)))
    .map((payload) => decodeNeighbour(payload))
    .filter((entry) => entry !== undefined)
    .filter((entry) => entry.index === index);
}

/** The forwarding entries of an interface that lead to a tunnel end, by MAC address as text. */
export function listForwarding(socket: NetlinkSocket, index: number): ReadonlyMap<string, IpAddress> {
  const found = dump(socket, 'list forwarding entries', bridgeFamily)
    .map((payload) => decodeNeighbour(payload))
    .filter((entry) => entry !== undefined)
    .filter((entry) => entry.index === index);
  return new Map(found.map((entry) => [formatMacAddress(entry.macAddress), entry.address]));
}

/** Undefined for what is not a permanent entry with both addresses. */
export function decodeNeighbour(payload: Buffer): Neighbour | undefined {
  if (payload.length < headerSizeBytes || (payload.readUInt16LE(8) & permanentState) === 0) return undefined;
  const found = decodeAttributes(payload.subarray(headerSizeBytes));
  const address = addressOfBytes(found.get(attributes.destination) ?? new Uint8Array());
  const macAddress = found.get(attributes.macAddress);
  if (address === undefined || macAddress?.length !== 6) return undefined;
  return { index: payload.readInt32LE(4), address, macAddress: Uint8Array.from(macAddress) };
}

function dump(socket: NetlinkSocket, request: string, family: number): readonly Buffer[] {
  const payload = Buffer.alloc(headerSizeBytes);
  payload.writeUInt8(family, 0);
  return socket.dump({ request, type: types.get, payload });
}

function remove(socket: NetlinkSocket, request: string, payload: Buffer): boolean {
  try {
    socket.run({ request, type: types.remove, payload });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENOENT') return false;
    throw error;
  }
}

function encodeNeighbour({ index, address, macAddress }: Neighbour): Buffer {
  return encode(familyNumber(address.family), 0, index, [
    { type: attributes.destination, value: addressBytes(address) },
    { type: attributes.macAddress, value: macAddress },
  ]);
}

function encodeForwarding({ index, macAddress, destination }: ForwardingEntry): Buffer {
  return encode(bridgeFamily, selfFlag, index, [
    { type: attributes.macAddress, value: macAddress },
    { type: attributes.destination, value: addressBytes(destination) },
  ]);
}

function encode(family: number, flags: number, index: number, list: readonly Attribute[]): Buffer {
  const header = Buffer.alloc(headerSizeBytes);
  header.writeUInt8(family, 0);
  header.writeInt32LE(index, 4);
  header.writeUInt16LE(permanentState, 8);
  header.writeUInt8(flags, 10);
  return Buffer.concat([header, encodeAttributes(list)]);
}
