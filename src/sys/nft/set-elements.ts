import { addressBytes, parseAddress } from '#formats/ip-address.ts';
import { type IpPrefix, parsePrefix, prefixSize } from '#formats/ip-prefix.ts';

import { type Attribute, nestedAttribute } from '../netlink/attributes.ts';

/** Types of nftables that keys and data are put together from. */
export type FieldType = 'ifname' | 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service';

/** A set or, with data, a map. */
export interface SetType {
  readonly key: readonly FieldType[];
  readonly data?: readonly FieldType[];
  /** Addresses of keys may be blocks (`10.0.0.0/8`). */
  readonly interval?: boolean;
}

/** Fields of a key in order: names, addresses or blocks, protocols by name, ports. */
export type Fields = readonly (string | number)[];

export interface SetElement {
  readonly key: Fields;
  readonly data?: Fields;
}

const protocols: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };
const interfaceNameBytes = 16;
const listElement = 1;
const attributes = { key: 1, data: 2, flags: 3, keyEnd: 10 };
const intervalEnd = 1;

/** The declaration of a set in nft's language. */
export function setDeclaration(name: string, type: SetType): string {
  const { key, data, interval = false } = type;
  const kind = data === undefined ? `set ${name}` : `map ${name}`;
  const types = data === undefined ? key.join(' . ') : `${key.join(' . ')} : ${data.join(' . ')}`;
  return `${kind} { type ${types}; ${interval ? 'flags interval; ' : ''}}`;
}

/**
 * An element as the kernel wants it (nf_tables_api.c, nft_add_set_elem): most are one entry; a block in a set of single
 * fields is two, its start and the end that does not belong to it any more.
 */
export function encodeElement(type: SetType, { key, data }: SetElement): readonly Attribute[] {
  const first = encodeFields(type.key, key, 'first');
  const entry = [value(attributes.key, first)];
  if (data !== undefined && type.data !== undefined) entry.push(value(attributes.data, encodeFields(type.data, data)));
  if (type.interval !== true) return [nestedAttribute(listElement, entry)];
  if (type.key.length > 1) {
    entry.push(value(attributes.keyEnd, encodeFields(type.key, key, 'last')));
    return [nestedAttribute(listElement, entry)];
  }
  const behind = following(encodeFields(type.key, key, 'last'));
  if (behind === undefined) return [nestedAttribute(listElement, entry)];
  const flags = { type: attributes.flags, value: Buffer.of(0, 0, 0, intervalEnd) };
  return [nestedAttribute(listElement, entry), nestedAttribute(listElement, [value(attributes.key, behind), flags])];
}

/** Each field fills up to four bytes. */
function encodeFields(types: readonly FieldType[], fields: Fields, edge: 'first' | 'last' = 'first'): Buffer {
  if (types.length !== fields.length) throw new Error(`want ${types.join(' . ')}, not ${fields.join(' . ')}`);
  const parts = types.map((type, index) => {
    const field = encodeField(type, fields[index] ?? '', edge);
    return types.length === 1 ? field : Buffer.concat([field, Buffer.alloc(-field.length & 3)]);
  });
  return Buffer.concat(parts);
}

function encodeField(type: FieldType, field: string | number, edge: 'first' | 'last'): Buffer {
  switch (type) {
    case 'ifname': {
      const name = Buffer.alloc(interfaceNameBytes);
      name.write(String(field));
      return name;
    }
    case 'inet_proto':
      return Buffer.of(protocols[field] ?? Number(field));
    case 'inet_service': {
      const port = Buffer.alloc(2);
      port.writeUInt16BE(Number(field));
      return port;
    }
    default: {
      const block = blockOf(String(field));
      const offset = edge === 'first' ? 0n : prefixSize(block) - 1n;
      return Buffer.from(addressBytes({ ...block.address, value: block.address.value + offset }));
    }
  }
}

function blockOf(text: string): IpPrefix {
  const address = parseAddress(text);
  if (address !== undefined) return { address, length: address.family === 4 ? 32 : 128 };
  const block = parsePrefix(text);
  if (block === undefined) throw new Error(`"${text}" is no address`);
  return block;
}

/** The key after this one; undefined after the last. */
function following(key: Buffer): Buffer | undefined {
  const next = Buffer.from(key);
  for (let index = next.length - 1; index >= 0; index -= 1) {
    const byte = ((next[index] ?? 0) + 1) & 0xff;
    next[index] = byte;
    if (byte !== 0) return next;
  }
  return undefined;
}

function value(type: number, bytes: Buffer): Attribute {
  const valueAttribute = 1;
  return nestedAttribute(type, [{ type: valueAttribute, value: bytes }]);
}
