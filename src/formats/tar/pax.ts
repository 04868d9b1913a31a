import { textOfBytes } from '../byte-text.ts';
import { damagedTar } from './header.ts';

/** The records of a PAX extended header in their order; keys may repeat (GNU sparse format 0.0). */
export type PaxRecords = readonly (readonly [key: string, value: Uint8Array])[];

const space = 0x20;
const newline = 0x0a;
const equals = 0x3d;
const maxLengthDigits = 10;

/** `<length> <key>=<value>\n`, where the length counts the whole record. Throws Damaged for anything else. */
export function parsePax(bytes: Uint8Array): PaxRecords {
  const records: [string, Uint8Array][] = [];
  for (let start = 0; start < bytes.length;) {
    const gap = bytes.subarray(start, start + maxLengthDigits + 1).indexOf(space);
    const digits = gap < 0 ? '' : Buffer.from(bytes.subarray(start, start + gap)).toString('latin1');
    const end = start + (/^\d+$/.test(digits) ? Number(digits) : 0);
    const sign = bytes.subarray(start + gap + 1, end).indexOf(equals);
    if (end > bytes.length || sign < 1 || bytes[end - 1] !== newline) throw damagedTar('a PAX record is malformed');
    const keyStart = start + gap + 1;
    records.push([
      textOfBytes(bytes.subarray(keyStart, keyStart + sign)),
      bytes.subarray(keyStart + sign + 1, end - 1),
    ]);
    start = end;
  }
  return records;
}

export function encodePax(records: PaxRecords): Uint8Array {
  return Buffer.concat(records.map(([key, value]) => encodeRecord(key, value)));
}

/** Decimal seconds with a fraction, as nanoseconds. */
export function parsePaxTime(text: string): bigint {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw damagedTar('a PAX time is malformed');
  const [, sign = '', seconds = '', fraction = ''] = match;
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return sign === '-' ? -ns : ns;
}

export function formatPaxTime(timeNs: bigint): string {
  const positive = timeNs < 0n ? -timeNs : timeNs;
  const fraction = String(positive % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const whole = `${timeNs < 0n ? '-' : ''}${String(positive / 1_000_000_000n)}`;
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

export function parsePaxNumber(value: Uint8Array): number {
  const text = Buffer.from(value).toString('latin1');
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw damagedTar('a PAX number is malformed');
  return number;
}

function encodeRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
