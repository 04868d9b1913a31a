import {
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { changeMode, deviceParts, makeNode, setTimes } from '#sys/files.ts';
import { openInRoot } from '#sys/rooted.ts';
import { readXattrs, setXattr } from '#sys/xattrs.ts';
import type { ModeChange } from './change-mode.ts';
import { isCopiedXattr } from './hash-files.ts';
import type { Owner } from './owner.ts';
import { clear, makeFolders, notAFolder, openParent, refuseWhiteout } from './place.ts';
import { isFolderIn, resolveInRoot } from './resolve-in-root.ts';
import type { SourceEntry, SourceItem } from './source-item.ts';

export interface CopyOptions {
  /** The root filesystem that is written to. Nothing else may write to it meanwhile. */
  readonly root: string;
  /** Absolute in the root; a `/` at its end says that it is a folder. */
  readonly destination: string;
  /** undefined: as the source has it. */
  readonly owner: Owner | undefined;
  /** Of folders that are made on the way. */
  readonly folderOwner: Owner;
  readonly mode: ModeChange | undefined;
}

/** Files up to this size are copied at once: a trip to a thread costs more. */
const smallBytes = 256 * 1024;

/**
 * Copies items below a root as COPY does: a folder's content into the destination, a file to it or into it. Links in
 * the destination's path are followed inside the root only; what is at a file's place is replaced.
 */
export async function copyFiles(
  items: readonly SourceItem[],
  options: CopyOptions,
  signal: AbortSignal,
): Promise<void> {
  const { root, destination } = options;
  const asFolder = destination.endsWith('/') || items.some(({ isFolder }) => isFolder);
  const clean = posix.normalize(destination);
  if (items.length > 1 && !asFolder && !isFolderIn(root, clean))
    throw new StatusError(
      'InvalidArgument',
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    );
  makeFolders(root, asFolder ? clean : posix.dirname(clean), options.folderOwner);
  const links = new Map<string, string>();
  const folders: { readonly path: string; readonly mtimeNs: bigint | undefined }[] = [];
  for (const { name, isFolder, entries } of items) {
    if (!isFolder) refuseWhiteout(name);
    const inside = isFolder || asFolder || isFolderIn(root, clean);
    const base = isFolder || !inside ? clean : posix.join(clean, name);
    for (const entry of entries) {
      signal.throwIfAborted();
      refuseWhiteout(posix.basename(entry.relative));
      const path = posix.join(base, entry.relative);
      if (entry.type !== 'directory') await placeFile(entry, path, options, links);
      else if (placeFolder(entry, path, options)) folders.push({ path, mtimeNs: entry.mtimeNs });
    }
  }
  for (const { path, mtimeNs } of folders.reverse()) {
    using folder = openInRoot(root, path);
    if (mtimeNs !== undefined) setTimes(`${folder.path}/.`, mtimeNs, mtimeNs);
  }
}

/** Returns false when a link to a folder stands in its place: that folder keeps its own mode and owner. */
function placeFolder(entry: SourceEntry, path: string, options: CopyOptions): boolean {
  using parent = openParent(options.root, path);
  const target = `${parent.path}/${posix.basename(path)}`;
  try {
    mkdirSync(target);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    if (!isFolderIn(options.root, path)) throw notAFolder(path);
    if (lstatSync(target).isSymbolicLink()) return false;
  }
  finish(target, entry, options);
  return true;
}

async function placeFile(
  entry: SourceEntry,
  written: string,
  options: CopyOptions,
  links: Map<string, string>,
): Promise<void> {
  // A destination that is a link to a file means that file.
  const followed = entry.relative === '' ? resolveInRoot(options.root, written) : undefined;
  const path = followed === undefined ? written : `/${followed.inRoot}`;
  using parent = openParent(options.root, path);
  const target = `${parent.path}/${posix.basename(path)}`;
  clear(target, path);
  const known = entry.identity === '' ? undefined : links.get(entry.identity);
  if (known !== undefined) {
    using first = openParent(options.root, known);
    linkSync(`${first.path}/${posix.basename(known)}`, target);
    return;
  }
  await makeFile(entry, target);
  finish(target, entry, options);
  if (entry.mtimeNs !== undefined) setTimes(target, entry.mtimeNs, entry.mtimeNs);
  if (entry.identity !== '') links.set(entry.identity, path);
}

async function makeFile({ type, from, sizeBytes, linkTarget, device }: SourceEntry, target: string): Promise<void> {
  if (type === 'symlink') symlinkSync(linkTarget, target);
  else if (type === 'fifo') makeNode(target, 'fifo', 0o600);
  else if (type === 'character' || type === 'block') {
    const { major, minor } = deviceParts(device);
    makeNode(target, type, 0o600, major, minor);
  } else if ('text' in from) writeFileSync(target, from.text, { flag: 'wx' });
  else if (sizeBytes <= smallBytes) copyFileSync(from.path, target, constants.COPYFILE_EXCL);
  else await copyFile(from.path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** Owner before mode: chown takes setuid away. */
function finish(target: string, entry: SourceEntry, { owner, mode }: CopyOptions): void {
  const isFolder = entry.type === 'directory';
  lchownSync(target, owner?.uid ?? entry.uid, owner?.gid ?? entry.gid);
  if (entry.type !== 'symlink') changeMode(target, mode?.(entry.mode, isFolder) ?? entry.mode);
  if ('text' in entry.from) return;
  for (const [name, value] of readXattrs(entry.from.path)) if (isCopiedXattr(name)) setXattr(target, name, value);
}
