import { bytesOfText } from '../byte-text.ts';
import type { TarEntry, TarEntryType } from '../tar-entry.ts';
import { blockBytes, padded } from './header.ts';
import { encodePax, formatPaxTime } from './pax.ts';

const flags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const nameBytes = 100;
const prefixBytes = 155;
const maxId = 0o7777777;
const maxSize = 0o77777777777;

/**
 * The header of an entry: a ustar block, with PAX records before it when names, numbers, times or extended attributes
 * do not fit, and of `more`. The same entry gives the same bytes: no owner names, no other times, records sorted by key.
 */
export function encodeHeader(entry: TarEntry, more: readonly (readonly [string, string])[] = []): Uint8Array {
  const path = entry.type === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  const split = splitPath(path);
  const records = paxRecords(entry, path, split === undefined, more);
  const [prefix, name] = split ?? ['', asciiTail(path)];
  const block = encodeBlock({ ...entry, flag: flags[entry.type], prefix, name });
  if (records.length === 0) return block;
  const body = encodePax(records);
  const paxHeader = encodeBlock({ ...paxEntry, name: `PaxHeaders/${asciiTail(path)}`, sizeBytes: body.length });
  return Buffer.concat([paxHeader, body, new Uint8Array(padded(body.length) - body.length), block]);
}

/** What a body needs after it to fill its last block. */
export function bodyPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array(padded(sizeBytes) - sizeBytes);
}

/** Two empty blocks end an archive. */
export function endOfTar(): Uint8Array {
  return new Uint8Array(2 * blockBytes);
}

interface Block extends Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'sizeBytes' | 'mtimeNs' | 'linkTarget'> {
  readonly flag: string;
  readonly prefix: string;
  readonly name: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

const paxEntry = {
  flag: 'x',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  linkTarget: '',
  deviceMajor: 0,
  deviceMinor: 0,
  prefix: '',
} as const;

function paxRecords(
  entry: TarEntry,
  path: string,
  longPath: boolean,
  more: readonly (readonly [string, string])[],
): [string, Uint8Array][] {
  const texts: (readonly [string, string | undefined])[] = [
    ...more,
    ['gid', entry.gid > maxId ? String(entry.gid) : undefined],
    ['linkpath', fitsField(entry.linkTarget) ? undefined : entry.linkTarget],
    ['mtime', fitsSeconds(entry.mtimeNs) ? undefined : formatPaxTime(entry.mtimeNs)],
    ['path', longPath ? path : undefined],
    ['size', entry.sizeBytes > maxSize ? String(entry.sizeBytes) : undefined],
    ['uid', entry.uid > maxId ? String(entry.uid) : undefined],
  ];
  const needed = texts.flatMap(([key, text]): [string, Uint8Array][] =>
    text === undefined ? [] : [[key, bytesOfText(text)]],
  );
  const xattrs = [...entry.xattrs].map(([name, value]): [string, Uint8Array] => [`SCHILY.xattr.${name}`, value]);
  return [...needed, ...xattrs].sort(([one], [other]) => (one < other ? -1 : 1));
}

function encodeBlock(fields: Block): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, start: number, digits: number, max: number): void => {
    block.write(`${(value > max ? 0 : value).toString(8).padStart(digits, '0')}\0`, start, 'latin1');
  };
  block.write(fields.name, 0, 'latin1');
  octal(fields.mode, 100, 7, maxId);
  octal(fields.uid, 108, 7, maxId);
  octal(fields.gid, 116, 7, maxId);
  octal(fields.sizeBytes, 124, 11, maxSize);
  octal(fitsSeconds(floorSeconds(fields.mtimeNs)) ? Number(fields.mtimeNs / 1_000_000_000n) : 0, 136, 11, maxSize);
  block.write('        ', 148, 'latin1');
  block.write(fields.flag, 156, 'latin1');
  if (fitsField(fields.linkTarget)) block.write(fields.linkTarget, 157, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  octal(fields.deviceMajor, 329, 7, maxId);
  octal(fields.deviceMinor, 337, 7, maxId);
  block.write(fields.prefix, 345, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A path as prefix and name of a ustar block; undefined when it does not fit. */
function splitPath(path: string): [prefix: string, name: string] | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= nameBytes) return ['', path];
  const slash = path.indexOf('/', path.length - nameBytes - 1);
  return slash > 0 && slash <= prefixBytes && slash < path.length - 1
    ? [path.slice(0, slash), path.slice(slash + 1)]
    : undefined;
}

/** What readers without PAX would see: the end of the path, without what is not ASCII. */
function asciiTail(path: string): string {
  const kept = path.replace(/[^ -~]/g, '');
  return kept.slice(-80).replace(/^\/+/, '') || '_';
}

/** Printable ASCII: what every reader takes from a header block. */
function isAscii(text: string): boolean {
  return !/[^ -~]/.test(text);
}

function fitsField(text: string): boolean {
  return text.length <= nameBytes && isAscii(text);
}

function floorSeconds(timeNs: bigint): bigint {
  return timeNs - (timeNs % 1_000_000_000n);
}

function fitsSeconds(timeNs: bigint): boolean {
  return timeNs >= 0n && timeNs % 1_000_000_000n === 0n && timeNs / 1_000_000_000n <= BigInt(maxSize);
}
