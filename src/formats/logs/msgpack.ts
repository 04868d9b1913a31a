import { StatusError } from '#base/errors.ts';

/** An application's own type (msgpack specification, ext format family). */
export class MsgpackExtension {
  readonly type: number;
  readonly bytes: Uint8Array;

  constructor(type: number, bytes: Uint8Array) {
    this.type = type;
    this.bytes = bytes;
  }
}

/** Bytes stand for text that may not be UTF-8: they are written with the type of texts. Numbers are whole. */
export type MsgpackValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | MsgpackExtension
  | readonly MsgpackValue[]
  | { readonly [key: string]: MsgpackValue };

/** Where maps and lists lie within each other deeper than this, it is an attack. */
const deepest = 16;

/** The shortest encoding of a value. */
export function encodeMsgpack(value: MsgpackValue): Buffer {
  const pieces: Uint8Array[] = [];
  write(value, pieces);
  return Buffer.concat(pieces);
}

/**
 * The first value in bytes that arrive piece by piece: undefined when it is not complete yet. Throws Damaged for what is
 * no msgpack, or has types that nobody sends here (floats, extensions).
 */
export function decodeMsgpack(bytes: Buffer): { readonly value: MsgpackValue; readonly sizeBytes: number } | undefined {
  const reader = new Reader(bytes);
  try {
    return { value: reader.read(0), sizeBytes: reader.at };
  } catch (error) {
    if (error instanceof Incomplete) return undefined;
    throw error;
  }
}

function write(value: MsgpackValue, pieces: Uint8Array[]): void {
  if (value === null) pieces.push(Buffer.of(0xc0));
  else if (typeof value === 'boolean') pieces.push(Buffer.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'number') pieces.push(integer(value));
  else if (typeof value === 'string') writeText(Buffer.from(value), pieces);
  else if (value instanceof MsgpackExtension) writeExtension(value, pieces);
  else if (value instanceof Uint8Array) writeText(value, pieces);
  else if (Array.isArray(value)) {
    pieces.push(head(value.length, { fix: 0x90, fixMost: 15, sizes: [0xdc, 0xdd] }));
    for (const item of value as readonly MsgpackValue[]) write(item, pieces);
  } else {
    const entries = Object.entries(value);
    pieces.push(head(entries.length, { fix: 0x80, fixMost: 15, sizes: [0xde, 0xdf] }));
    for (const [key, item] of entries) {
      write(key, pieces);
      write(item, pieces);
    }
  }
}

function writeText(bytes: Uint8Array, pieces: Uint8Array[]): void {
  const { length } = bytes;
  if (length > 31 && length <= 0xff) pieces.push(Buffer.of(0xd9, length));
  else pieces.push(head(length, { fix: 0xa0, fixMost: 31, sizes: [0xda, 0xdb] }));
  pieces.push(bytes);
}

function writeExtension({ type, bytes }: MsgpackExtension, pieces: Uint8Array[]): void {
  const fixed = [1, 2, 4, 8, 16].indexOf(bytes.length);
  if (fixed >= 0) pieces.push(Buffer.of(0xd4 + fixed, type));
  else pieces.push(Buffer.of(0xc7, bytes.length, type));
  pieces.push(bytes);
}

interface HeadForm {
  /** First byte of the short form, to which the length is added, and the longest that it holds. */
  readonly fix: number;
  readonly fixMost: number;
  /** First bytes of the forms with 16 and 32 bits of length. */
  readonly sizes: readonly [number, number];
}

function head(length: number, { fix, fixMost, sizes }: HeadForm): Buffer {
  if (length <= fixMost) return Buffer.of(fix + length);
  if (length <= 0xffff) return Buffer.of(sizes[0], length >> 8, length & 0xff);
  const bytes = Buffer.alloc(5, sizes[1]);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function integer(value: number): Buffer {
  if (value >= 0 && value <= 0x7f) return Buffer.of(value);
  if (value < 0 && value >= -32) return Buffer.of(0x100 + value);
  if (value >= 0 && value <= 0xff_ff_ff_ff) {
    const bytes = Buffer.alloc(5, 0xce);
    bytes.writeUInt32BE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9, 0xd3);
  bytes.writeBigInt64BE(BigInt(value), 1);
  return bytes;
}

/** Control flow of the decoder alone: the value goes on in bytes that have not come yet. */
class Incomplete extends Error {}

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(depth: number): MsgpackValue {
    if (depth > deepest) throw damaged('it lies too deep');
    const first = this.#number(1);
    if (first <= 0x7f) return first;
    if (first >= 0xe0) return first - 0x100;
    if (first <= 0x8f) return this.#map(first & 0x0f, depth);
    if (first <= 0x9f) return this.#list(first & 0x0f, depth);
    if (first <= 0xbf) return this.#take(first & 0x1f).toString();
    return this.#long(first, depth);
  }

  #long(first: number, depth: number): MsgpackValue {
    switch (first) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return first === 0xc3;
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#number(2 ** (first - 0xcc));
      case 0xcf:
        return Number(this.#take(8).readBigUInt64BE());
      case 0xd0:
      case 0xd1:
      case 0xd2: {
        const sizeBytes = 2 ** (first - 0xd0);
        return this.#take(sizeBytes).readIntBE(0, sizeBytes);
      }
      case 0xd3:
        return Number(this.#take(8).readBigInt64BE());
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return Buffer.from(this.#take(this.#number(2 ** (first - 0xc4))));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#take(this.#number(2 ** (first - 0xd9))).toString();
      case 0xdc:
      case 0xdd:
        return this.#list(this.#number(2 ** (first - 0xdb)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#number(2 ** (first - 0xdd)), depth);
      default:
        throw damaged(`a value begins with 0x${first.toString(16)}`);
    }
  }

  #list(length: number, depth: number): MsgpackValue {
    const items: MsgpackValue[] = [];
    for (let index = 0; index < length; index += 1) items.push(this.read(depth + 1));
    return items;
  }

  #map(length: number, depth: number): MsgpackValue {
    const entries: [string, MsgpackValue][] = [];
    for (let index = 0; index < length; index += 1) {
      const key = this.read(depth + 1);
      if (typeof key !== 'string') throw damaged('a key of a map is no text');
      entries.push([key, this.read(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  #number(sizeBytes: number): number {
    return this.#take(sizeBytes).readUIntBE(0, sizeBytes);
  }

  #take(sizeBytes: number): Buffer {
    if (this.at + sizeBytes > this.#bytes.length) throw new Incomplete();
    this.at += sizeBytes;
    return this.#bytes.subarray(this.at - sizeBytes, this.at);
  }
}

function damaged(why: string): StatusError {
  return new StatusError('Damaged', `Cannot read msgpack: ${why}`);
}
