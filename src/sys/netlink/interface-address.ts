import { addressBytes, addressOfBytes, type IpAddress } from '#formats/ip-address.ts';

import { type Attribute, decodeAttributes, encodeAttributes, u32Attribute } from './attributes.ts';
import { familyNumber } from './family.ts';
import { messageFlags } from './message.ts';
import { NetlinkError, type NetlinkSocket } from './netlink-socket.ts';

/** An address of an interface with the length of its subnet's prefix. */
export interface InterfaceAddress {
  readonly index: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
}

const types = { create: 20, remove: 21, get: 22 };
const attributes = { address: 1, local: 2, broadcast: 4, flags: 8 };
const headerSizeBytes = 8;
/** No duplicate address detection: our addresses are given out by us, and must work at once. */
const noDadFlag = 0x02;

/** Gives an interface an address; does nothing when it has it. */
export function setAddress(socket: NetlinkSocket, wanted: InterfaceAddress): void {
  const flags = messageFlags.create | messageFlags.replace;
  socket.run({
    request: `add address to link ${String(wanted.index)}`,
    type: types.create,
    flags,
    payload: encode(wanted),
  });
}

/** Returns false when it does not have it. */
export function removeAddress(socket: NetlinkSocket, unwanted: InterfaceAddress): boolean {
  try {
    const request = `remove address of link ${String(unwanted.index)}`;
    socket.run({ request, type: types.remove, payload: encode(unwanted) });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'EADDRNOTAVAIL') return false;
    throw error;
  }
}

/** All addresses of all interfaces. */
export function listAddresses(socket: NetlinkSocket): readonly InterfaceAddress[] {
  const payload = Buffer.alloc(headerSizeBytes);
  return socket
    .dump({ request: 'list addresses', type: types.get, payload })
    .map(decodeInterfaceAddress)
    .filter((address) => address !== undefined);
}

/** Undefined for a payload that is not an address. */
export function decodeInterfaceAddress(payload: Buffer): InterfaceAddress | undefined {
  if (payload.length < headerSizeBytes) return undefined;
  const found = decodeAttributes(payload.subarray(headerSizeBytes));
  const bytes = found.get(attributes.local) ?? found.get(attributes.address);
  const address = bytes === undefined ? undefined : addressOfBytes(bytes);
  if (address === undefined) return undefined;
  return { index: payload.readInt32LE(4), address, prefixLength: payload.readUInt8(1) };
}

function encode({ index, address, prefixLength }: InterfaceAddress): Buffer {
  const header = Buffer.alloc(headerSizeBytes);
  header.writeUInt8(familyNumber(address.family), 0);
  header.writeUInt8(prefixLength, 1);
  header.writeInt32LE(index, 4);
  const value = addressBytes(address);
  const list: Attribute[] = [
    { type: attributes.local, value },
    { type: attributes.address, value },
  ];
  if (address.family === 4 && prefixLength < 31) {
    const hostBits = (1n << BigInt(32 - prefixLength)) - 1n;
    list.push({ type: attributes.broadcast, value: addressBytes({ family: 4, value: address.value | hostBits }) });
  }
  if (address.family === 6) list.push(u32Attribute(attributes.flags, noDadFlag));
  return Buffer.concat([header, encodeAttributes(list)]);
}
