import { readlinkSync } from 'node:fs';

import { textOfBytes } from '#formats/byte-text.ts';
import type { TarEntry, TarEntryType } from '#formats/tar-entry.ts';

import { deviceParts } from '../files.ts';
import { fsPath } from '../file-path.ts';
import { readXattrs } from '../xattrs.ts';
import type { TreeNode } from './walk-tree.ts';

/** Remembers files with several names while a tree is walked, so that the later ones become hard links. */
export class LinkFinder {
  readonly #first = new Map<string, string>();

  /** The first name of the same file, undefined when this is it. */
  find({ path, stat }: TreeNode): string | undefined {
    if (stat.nlink < 2n || stat.isDirectory()) return undefined;
    const key = `${String(stat.dev)}:${String(stat.ino)}`;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, path);
    return first;
  }
}

/** Describes a node as a tar entry, `path` as in the walk; undefined for a socket, which no archive can hold. */
export function entryOfNode(
  node: TreeNode,
  links: LinkFinder,
  keepsXattr: (name: string) => boolean,
): TarEntry | undefined {
  const { stat, at, path } = node;
  const first = links.find(node);
  const type = first === undefined ? typeOf(node) : 'hardlink';
  if (type === undefined) return undefined;
  const device = type === 'character' || type === 'block' ? deviceParts(stat.rdev) : { major: 0, minor: 0 };
  return {
    path,
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    sizeBytes: type === 'file' ? Number(stat.size) : 0,
    mtimeNs: stat.mtimeNs,
    linkTarget: first ?? (type === 'symlink' ? readLink(at) : ''),
    deviceMajor: device.major,
    deviceMinor: device.minor,
    xattrs: first === undefined ? filterXattrs(readXattrs(at), keepsXattr) : new Map(),
  };
}

/** Extended attributes that mean the same on every machine: capabilities, ACLs, the user's own. */
export function isPortableXattr(name: string): boolean {
  return name === 'security.capability' || name.startsWith('user.') || name.startsWith('system.posix_acl_');
}

/** Everything but what overlayfs keeps for itself. */
export function isOrdinaryXattr(name: string): boolean {
  return !name.startsWith('trusted.overlay.') && !name.startsWith('user.overlay.');
}

/** The target of a symbolic link, byte for byte. */
export function readLink(at: string): string {
  return textOfBytes(readlinkSync(fsPath(at), 'buffer'));
}

function typeOf({ stat }: TreeNode): TarEntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

function filterXattrs(
  xattrs: ReadonlyMap<string, Uint8Array>,
  keeps: (name: string) => boolean,
): ReadonlyMap<string, Uint8Array> {
  return xattrs.size === 0 ? xattrs : new Map([...xattrs].filter(([name]) => keeps(name)));
}
