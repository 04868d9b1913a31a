/**
 * Netlink attributes (struct nlattr): a list of typed values, each `length:u16 type:u16 payload`, padded to 4 bytes, in
 * the byte order of the machine (little-endian on all that we run on). See the kernel's Documentation/userspace-api/netlink.
 */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

const headerSizeBytes = 4;
/** The two highest bits of a type are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER). */
const typeMask = 0x3fff;
const nestedFlag = 0x8000;

export function encodeAttributes(list: readonly Attribute[]): Buffer {
  const sizeBytes = list.reduce((sum, { value }) => sum + align(headerSizeBytes + value.length), 0);
  const bytes = Buffer.alloc(sizeBytes);
  let offset = 0;
  for (const { type, value } of list) {
    bytes.writeUInt16LE(headerSizeBytes + value.length, offset);
    bytes.writeUInt16LE(type, offset + 2);
    bytes.set(value, offset + headerSizeBytes);
    offset += align(headerSizeBytes + value.length);
  }
  return bytes;
}

/** By type without flags; the last of a type wins. Stops at the first attribute that does not fit: never reads beyond. */
export function decodeAttributes(bytes: Uint8Array): ReadonlyMap<number, Buffer> {
  return new Map(decodeAttributeList(bytes).map(({ type, value }) => [type, value]));
}

/** The same in order, for lists in which a type comes several times. */
export function decodeAttributeList(bytes: Uint8Array): readonly (Attribute & { readonly value: Buffer })[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: (Attribute & { readonly value: Buffer })[] = [];
  let offset = 0;
  while (offset + headerSizeBytes <= view.length) {
    const sizeBytes = view.readUInt16LE(offset);
    if (sizeBytes < headerSizeBytes || offset + sizeBytes > view.length) break;
    const value = view.subarray(offset + headerSizeBytes, offset + sizeBytes);
    found.push({ type: view.readUInt16LE(offset + 2) & typeMask, value });
    offset += align(sizeBytes);
  }
  return found;
}

export function u8Attribute(type: number, value: number): Attribute {
  return { type, value: Uint8Array.of(value) };
}

export function u32Attribute(type: number, value: number): Attribute {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return { type, value: bytes };
}

/** Text with the zero byte that the kernel wants at its end. */
export function textAttribute(type: number, value: string): Attribute {
  return { type, value: Buffer.from(`${value}\0`) };
}

export function nestedAttribute(type: number, list: readonly Attribute[]): Attribute {
  return { type: type | nestedFlag, value: encodeAttributes(list) };
}

export function readText(value: Buffer | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end === -1 ? value.length : end);
}

export function readU32(value: Buffer | undefined): number | undefined {
  return value !== undefined && value.length >= 4 ? value.readUInt32LE(0) : undefined;
}

export function readU8(value: Buffer | undefined): number | undefined {
  return value?.[0];
}

export function align(sizeBytes: number): number {
  return (sizeBytes + 3) & ~3;
}
