import { type BigIntStats, lstatSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { fsPath } from '#sys/file-path.ts';
import { packTree } from '#sys/tree/pack-tree.ts';
import type { TreeNode } from '#sys/tree/walk-tree.ts';

import { isOpaque, isWhiteout } from './lower-view.ts';

const whiteoutPrefix = '.wh.';

/**
 * The tar of a layer that was made here, from an overlay's upper folder: whiteouts and opaque folders as `.wh.` entries
 * (OCI image specification, layer.md), times in whole seconds as Docker writes them. The same folder gives the same
 * bytes. `rootBelow` is the root of the layers below: the layer's own is packed only where it differs.
 */
export function packFiles(
  files: string,
  rootBelow: string | undefined,
  onFile: (sizeBytes: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const transform = (entry: TarEntry, node: TreeNode): readonly TarEntry[] => {
    if (entry.path === '') return hasRootOf(node.stat, rootBelow) ? [] : [{ ...inSeconds(entry), path: './' }];
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
    if (name.startsWith(whiteoutPrefix)) throw looksLikeWhiteout(entry.path);
    if (isWhiteout(node.stat)) return [whiteoutOf(entry, `${parentOf(entry.path)}${whiteoutPrefix}${name}`)];
    if (entry.type === 'file') onFile(entry.sizeBytes);
    if (entry.type !== 'directory' || !isOpaque(node.at)) return [inSeconds(entry)];
    return [inSeconds(entry), whiteoutOf(entry, `${entry.path}/${whiteoutPrefix}${whiteoutPrefix}.opq`)];
  };
  return packTree({ start: files, transform }, signal);
}

function inSeconds(entry: TarEntry): TarEntry {
  const rest = ((entry.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { ...entry, mtimeNs: entry.mtimeNs - rest };
}

/** An empty file of root's without a time, so that the same deletion gives the same bytes. */
function whiteoutOf(entry: TarEntry, path: string): TarEntry {
  const device = { deviceMajor: 0, deviceMinor: 0 };
  return {
    ...entry,
    ...device,
    path,
    type: 'file',
    mode: 0,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtimeNs: 0n,
    linkTarget: '',
    xattrs: new Map(),
  };
}

function hasRootOf(stat: BigIntStats, rootBelow: string | undefined): boolean {
  if (rootBelow === undefined) return (stat.mode & 0o7777n) === 0o755n && stat.uid === 0n && stat.gid === 0n;
  const below = lstatSync(fsPath(rootBelow), { bigint: true });
  return stat.mode === below.mode && stat.uid === below.uid && stat.gid === below.gid;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function looksLikeWhiteout(path: string): StatusError {
  const state = 'a name that begins with ".wh." means a deletion in images';
  return new StatusError('NotSupported', `Cannot commit file "/${path}": ${state}; rename it`);
}
