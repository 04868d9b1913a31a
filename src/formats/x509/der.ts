import { StatusError } from '#base/errors.ts';

/** Tags of ASN.1 that X.509 uses, with class and constructed bit (X.690 8.1.2). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: its tag byte, its content, and all of its bytes. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** Values nest no deeper than this in any certificate; what is deeper is hostile. */
const depthMost = 32;

/** Reads bytes that are one value and nothing after it. Throws Damaged. */
export function readDer(bytes: Uint8Array): DerValue {
  const [value, ...rest] = readAll(bytes);
  if (value === undefined || rest.length > 0) throw damaged('they are not one value');
  return value;
}

/** The values inside a sequence, a set or a tagged value. Throws Damaged. */
export function partsOf(value: DerValue, depth = 0): readonly DerValue[] {
  if (depth > depthMost) throw damaged('they nest too deeply');
  if ((value.tag & 0x20) === 0) throw damaged(`tag ${String(value.tag)} holds no other values`);
  return readAll(value.content);
}

function readAll(bytes: Uint8Array): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw damaged('a tag has more than one byte');
    const { length, size } = readLength(bytes, at + 1);
    const start = at + 1 + size;
    if (start + length > bytes.length) throw damaged('a value ends after the bytes');
    values.push({
      tag,
      content: bytes.subarray(start, start + length),
      whole: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return values;
}

function readLength(bytes: Uint8Array, at: number): { length: number; size: number } {
  const first = bytes[at];
  if (first === undefined) throw damaged('a length is missing');
  if (first < 0x80) return { length: first, size: 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw damaged('a length is not definite or has more than four bytes');
  let length = 0;
  for (let index = 1; index <= count; index += 1) length = length * 256 + (bytes[at + index] ?? 0);
  if (at + count >= bytes.length) throw damaged('a length is cut off');
  if (length < 0x80 || bytes[at + 1] === 0) throw damaged('a length is not the shortest');
  return { length, size: 1 + count };
}

/** Writes a value from the bytes of its content. */
export function writeDer(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...content]);
}

export function writeSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return writeDer(tags.sequence, ...parts);
}

/** A whole number of zero or more, from its big-endian bytes. */
export function writeUnsigned(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const shortest = bytes.length === 0 ? Buffer.from([0]) : bytes.subarray(start);
  const needsZero = ((shortest[0] ?? 0) & 0x80) !== 0;
  return writeDer(tags.integer, needsZero ? Buffer.concat([Buffer.from([0]), shortest]) : shortest);
}

/** A string of whole bytes. */
export function writeBits(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return writeDer(tags.bitString, Buffer.from([unusedBits]), bytes);
}

/** The bytes of a bit string that ends with a whole byte. Throws Damaged. */
export function bytesOfBits(value: DerValue): Uint8Array {
  if (value.tag !== tags.bitString || value.content[0] !== 0) throw damaged('no bit string of whole bytes');
  return value.content.subarray(1);
}

/** An object identifier from its dotted form. */
export function writeObjectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return writeDer(tags.objectId, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** The dotted form of an object identifier. Throws Damaged. */
export function objectIdOf(value: DerValue): string {
  if (value.tag !== tags.objectId) throw damaged('no object identifier where one belongs');
  const numbers: number[] = [];
  let number = 0;
  for (const byte of value.content) {
    number = number * 128 + (byte & 0x7f);
    if (number > Number.MAX_SAFE_INTEGER / 128) throw damaged('an object identifier is too large');
    if ((byte & 0x80) !== 0) continue;
    numbers.push(number);
    number = 0;
  }
  if (numbers.length === 0 || (value.content.at(-1) ?? 0) >= 0x80) throw damaged('an object identifier is cut off');
  const [first = 0, ...rest] = numbers;
  const arc = Math.min(2, Math.floor(first / 40));
  return [arc, first - arc * 40, ...rest].join('.');
}

/** UTCTime until 2049, GeneralizedTime after (RFC 5280 4.1.2.5); milliseconds are cut off. */
export function writeTime(timeMs: number): Uint8Array {
  const text = new Date(timeMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const isShort = text < '2050' && text >= '1950';
  return writeDer(isShort ? tags.utcTime : tags.generalizedTime, Buffer.from(isShort ? text.slice(2) : text, 'latin1'));
}

/** Milliseconds since the epoch. Throws Damaged. */
export function timeOf(value: DerValue): number {
  const text = Buffer.from(value.content).toString('latin1');
  const isShort = value.tag === tags.utcTime;
  if (!isShort && value.tag !== tags.generalizedTime) throw damaged('no time where one belongs');
  const full = isShort ? `${text.slice(0, 2) < '50' ? '20' : '19'}${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (match === null) throw damaged('a time is not in the form of RFC 5280');
  const [, year, month, day, hour, minute, second] = match;
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(timeMs)) throw damaged('a time does not exist');
  return timeMs;
}

export function damaged(state: string): StatusError {
  return new StatusError('Damaged', `Cannot read DER: ${state}; make the certificate or request anew`);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function base128(number: number): readonly number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}
