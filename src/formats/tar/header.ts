import { StatusError } from '#base/errors.ts';

import { textOfBytes } from '../byte-text.ts';

export const blockBytes = 512;

/** A header block, decoded; numbers and texts as the block has them, before PAX records change them. */
export interface TarHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  /** The type flag: '0' file, '5' directory, 'x' PAX records, 'L' GNU long name, ... */
  readonly flag: string;
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** Throws Damaged for a wrong checksum or number (POSIX.1-2017, pax: ustar interchange format; GNU tar manual). */
export function decodeHeader(block: Uint8Array): TarHeader {
  if (!hasRightChecksum(block)) throw damagedTar('a header has a wrong checksum');
  const name = textOfBytes(cString(block, 0, 100));
  const kind = magicOf(block);
  const prefix = kind === 'v7' || kind === 'gnu' ? '' : textOfBytes(cString(block, 345, kind === 'star' ? 131 : 155));
  const flag = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    sizeBytes: decodeSize(block, 124, 12),
    mtimeSeconds: number(block, 136, 12),
    flag: flag === '\0' ? '0' : flag,
    linkName: textOfBytes(cString(block, 157, 100)),
    deviceMajor: kind === 'v7' ? 0 : number(block, 329, 8),
    deviceMinor: kind === 'v7' ? 0 : number(block, 337, 8),
  };
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** A size or offset: not negative. */
export function decodeSize(block: Uint8Array, start: number, length: number): number {
  const value = number(block, start, length);
  if (value < 0) throw damagedTar('a size is negative');
  return value;
}

/** The bytes rounded up to whole blocks. */
export function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}

export function damagedTar(state: string): StatusError {
  return new StatusError('Damaged', `Cannot read tar archive: ${state}; get it again`);
}

/** The bytes of a field up to the first NUL. */
function cString(block: Uint8Array, start: number, length: number): Uint8Array {
  const end = block.subarray(start, start + length).indexOf(0);
  return block.subarray(start, start + (end < 0 ? length : end));
}

/** Octal with spaces or NULs around it, or base-256 when the first bit is set; must fit into a double. */
function number(block: Uint8Array, start: number, length: number): number {
  const first = block[start] ?? 0;
  const value = (first & 0x80) === 0 ? octal(block, start, length) : base256(block, start, length);
  if (!Number.isSafeInteger(value)) throw damagedTar('a number is too large');
  return value;
}

function octal(block: Uint8Array, start: number, length: number): number {
  let value = 0;
  let ended = false;
  let begun = false;
  for (const byte of block.subarray(start, start + length)) {
    if (byte === 0x20 || byte === 0) {
      ended = begun;
      if (byte === 0) break;
    } else if (!ended && byte >= 0x30 && byte <= 0x37) {
      begun = true;
      value = value * 8 + byte - 0x30;
    } else throw damagedTar('a number is not octal');
  }
  return value;
}

function base256(block: Uint8Array, start: number, length: number): number {
  const first = block[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(first & 0x3f) - (negative ? 64n : 0n);
  for (const byte of block.subarray(start + 1, start + length)) value = value * 256n + BigInt(byte);
  return Number(value);
}

/** Old archives summed signed bytes. */
function hasRightChecksum(block: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < blockBytes; index += 1) {
    const byte = index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = octal(block, 148, 8);
  return stored === unsigned || stored === signed;
}

function magicOf(block: Uint8Array): 'ustar' | 'gnu' | 'star' | 'v7' {
  const magic = Buffer.from(block.subarray(257, 265)).toString('latin1');
  if (magic === 'ustar  \0') return 'gnu';
  if (!magic.startsWith('ustar\0')) return 'v7';
  return Buffer.from(block.subarray(508, 512)).toString('latin1') === 'tar\0' ? 'star' : 'ustar';
}
