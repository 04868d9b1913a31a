import { addressOfBytes, type IpAddress } from '#formats/ip-address.ts';

import { type Attribute, decodeAttributes, encodeAttributes, readU8 } from './attributes.ts';
import { familyNumber } from './family.ts';
import { NetlinkError, NetlinkSocket } from './netlink-socket.ts';

/** A flow that the kernel tracks (nf_conntrack): as it came, and where its answers come from. */
export interface Flow {
  /** IP protocol number: 6 TCP, 17 UDP. */
  readonly protocol: number;
  readonly destination: IpAddress;
  readonly destinationPort: number;
  /** Differs from `destination` when the flow was redirected. */
  readonly replySource: IpAddress;
  /** enum tcp_conntrack: 3 established, 7 time wait; undefined for other protocols. */
  readonly tcpState?: number;
}

export const tcpProtocol = 6;
export const udpProtocol = 17;

const types = { get: 0x0101, remove: 0x0102 };
const attributes = { original: 1, reply: 2, protocolInfo: 4, zone: 18, id: 12 };
const tcpInfo = 1;
const tcpInfoState = 1;
const tupleAttributes = { addresses: 1, protocol: 2 };
const addressAttributes = { 4: { source: 1, destination: 2 }, 6: { source: 3, destination: 4 } } as const;
const protocolAttributes = { number: 1, destinationPort: 3 };
const headerSizeBytes = 4;
const nestedFlag = 0x8000;

/** A socket for the tracked flows of the current network namespace. */
export function openConntrackSocket(): NetlinkSocket {
  const netlinkNetfilter = 12;
  return new NetlinkSocket(netlinkNetfilter);
}

export function* listFlows(socket: NetlinkSocket, family: 4 | 6): Generator<Flow, void, undefined> {
  for (const payload of socket.dump({ request: 'list flows', type: types.get, payload: header(family) })) {
    const flow = decodeFlow(payload, family);
    if (flow !== undefined) yield flow;
  }
}

/** Makes the kernel forget the flows that match, so that their next packet is looked at as the first of a new one. */
export function removeFlows(socket: NetlinkSocket, family: 4 | 6, matches: (flow: Flow) => boolean): number {
  let removed = 0;
  for (const payload of socket.dump({ request: 'list flows', type: types.get, payload: header(family) })) {
    const flow = decodeFlow(payload, family);
    if (flow !== undefined && matches(flow) && remove(socket, family, payload)) removed += 1;
  }
  return removed;
}

/** Undefined for what is not a flow of the family with ports. */
export function decodeFlow(payload: Buffer, family: 4 | 6): Flow | undefined {
  const found = decodeAttributes(payload.subarray(headerSizeBytes));
  const original = decodeTuple(found.get(attributes.original), family);
  const reply = decodeTuple(found.get(attributes.reply), family);
  if (original === undefined || reply === undefined) return undefined;
  const tcp = decodeAttributes(found.get(attributes.protocolInfo) ?? new Uint8Array()).get(tcpInfo);
  const tcpState = readU8(decodeAttributes(tcp ?? new Uint8Array()).get(tcpInfoState));
  return {
    ...(tcpState !== undefined && { tcpState }),
    protocol: original.protocol,
    destination: original.destination,
    destinationPort: original.destinationPort,
    replySource: reply.source,
  };
}

type Tuple = { readonly source: IpAddress } & Omit<Flow, 'replySource' | 'tcpState'>;

function decodeTuple(bytes: Buffer | undefined, family: 4 | 6): Tuple | undefined {
  if (bytes === undefined) return undefined;
  const tuple = decodeAttributes(bytes);
  const addresses = decodeAttributes(tuple.get(tupleAttributes.addresses) ?? new Uint8Array());
  const protocol = decodeAttributes(tuple.get(tupleAttributes.protocol) ?? new Uint8Array());
  const source = addressOfBytes(addresses.get(addressAttributes[family].source) ?? new Uint8Array());
  const destination = addressOfBytes(addresses.get(addressAttributes[family].destination) ?? new Uint8Array());
  const number = readU8(protocol.get(protocolAttributes.number));
  const port = protocol.get(protocolAttributes.destinationPort);
  if (source === undefined || destination === undefined || number === undefined || port?.length !== 2) return undefined;
  return { source, destination, protocol: number, destinationPort: port.readUInt16BE(0) };
}

/** Names the flow by what the kernel said of it; one that ended meanwhile is fine. */
function remove(socket: NetlinkSocket, family: 4 | 6, payload: Buffer): boolean {
  const found = decodeAttributes(payload.subarray(headerSizeBytes));
  const list: Attribute[] = [
    { type: attributes.original | nestedFlag, value: found.get(attributes.original) ?? new Uint8Array() },
  ];
  for (const type of [attributes.id, attributes.zone]) {
    const value = found.get(type);
    if (value !== undefined) list.push({ type, value });
  }
  try {
    const request = { request: 'forget flow', type: types.remove };
    socket.run({ ...request, payload: Buffer.concat([header(family), encodeAttributes(list)]) });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** struct nfgenmsg. */
function header(family: 4 | 6): Buffer {
  const bytes = Buffer.alloc(headerSizeBytes);
  bytes.writeUInt8(familyNumber(family), 0);
  return bytes;
}
