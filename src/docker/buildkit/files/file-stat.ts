import { StatusError } from '#base/errors.ts';
import type { Decoded } from '#formats/protobuf/message.ts';
import type { TarEntry, TarEntryType } from '#formats/tar-entry.ts';

import type { statMessage } from '../messages/session-messages.ts';

/** Bits of Go's `os.FileMode` (io/fs, FileMode). */
const typeBits: readonly (readonly [number, TarEntryType | 'socket'])[] = [
  [2 ** 31, 'directory'],
  [2 ** 27, 'symlink'],
  [2 ** 21, 'character'],
  [2 ** 26, 'block'],
  [2 ** 25, 'fifo'],
  [2 ** 24, 'socket'],
];
const specialBits: readonly (readonly [number, number])[] = [
  [2 ** 23, 0o4000],
  [2 ** 22, 0o2000],
  [2 ** 20, 0o1000],
];

/** What a client says of one of its files, as an entry that belongs to root. Throws InvalidArgument. */
export function entryOfStat(stat: Decoded<typeof statMessage>): TarEntry {
  const type = typeOf(stat.mode);
  if (type === 'socket' || type === 'character' || type === 'block')
    throw new StatusError(
      'InvalidArgument',
      `Cannot take "${stat.path}" into the build context: it is a device or socket; leave it out by .dockerignore`,
    );
  const isHardLink = type === 'file' && stat.linkName !== '';
  return {
    path: checkedPath(stat.path),
    type: isHardLink ? 'hardlink' : type,
    mode: specialBits.reduce((mode, [bit, special]) => mode + (has(stat.mode, bit) ? special : 0), stat.mode & 0o777),
    uid: 0,
    gid: 0,
    sizeBytes: type === 'file' && !isHardLink ? Number(stat.size) : 0,
    mtimeNs: stat.modTimeNs,
    linkTarget: isHardLink ? checkedPath(stat.linkName) : stat.linkName,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: stat.xattrs,
  };
}

/** Go's mode and so on of an entry: what a client needs to make the file. */
export function statOfEntry(entry: TarEntry): Partial<Decoded<typeof statMessage>> {
  const bit = typeBits.find(([, type]) => type === entry.type)?.[0] ?? 0;
  const device = entry.type === 'character' ? 2 ** 26 : 0;
  const special = specialBits.reduce((sum, [go, unix]) => sum + ((entry.mode & unix) === 0 ? 0 : go), 0);
  return {
    path: entry.path,
    mode: (entry.mode & 0o777) + bit + device + special,
    uid: entry.uid,
    gid: entry.gid,
    size: BigInt(entry.sizeBytes),
    modTimeNs: entry.mtimeNs,
    linkName: entry.linkTarget,
    deviceMajor: BigInt(entry.deviceMajor),
    deviceMinor: BigInt(entry.deviceMinor),
    xattrs: entry.xattrs,
  };
}

function typeOf(mode: number): TarEntryType | 'socket' {
  return typeBits.find(([bit]) => has(mode, bit))?.[1] ?? 'file';
}

function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

/** fsutil's rules: relative, clean, and nothing that leads out. */
function checkedPath(path: string): string {
  const parts = path.split('/');
  if (parts.every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0')) return path;
  throw new StatusError(
    'InvalidArgument',
    `Cannot take "${path}" into the build context: it is no clean relative path`,
  );
}
