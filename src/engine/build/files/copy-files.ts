import { constants, copyFileSync, linkSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { hasCode } from '#sys/errno.ts';
import { fsPath } from '#sys/file-path.ts';
import { setTimes } from '#sys/files.ts';
import { openInRoot } from '#sys/rooted.ts';
import { makeEntry, setAttributes } from '#sys/tree/make-entry.ts';
import type { ModeChange } from './change-mode.ts';
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
  const pause = createPauses();
  const asFolder = destination.endsWith('/') || items.some(({ isFolder }) => isFolder);
  const clean = posix.normalize(destination);
  if (items.length > 1 && !asFolder && !isFolderIn(root, clean))
    throw new StatusError(
      'InvalidArgument',
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    );
  makeFolders(root, asFolder ? clean : posix.dirname(clean), options.folderOwner, options.mode?.fixed);
  const links = new Map<string, string>();
  const folders: { readonly path: string; readonly mtimeNs: bigint }[] = [];
  for (const { name, isFolder, entries } of items) {
    if (!isFolder) refuseWhiteout(name);
    const inside = isFolder || asFolder || isFolderIn(root, clean);
    const base = isFolder || !inside ? clean : posix.join(clean, name);
    for (const source of entries) {
      signal.throwIfAborted();
      await pause();
      const { entry } = source;
      refuseWhiteout(posix.basename(entry.path));
      const path = posix.join(base, entry.path);
      if (entry.type !== 'directory') await placeFile(source, path, options, links);
      else if (placeFolder(entry, path, options)) folders.push({ path, mtimeNs: entry.mtimeNs });
    }
  }
  for (const { path, mtimeNs } of folders.reverse()) {
    using folder = openInRoot(root, path);
    setTimes(`${folder.path}/.`, mtimeNs, mtimeNs);
  }
}

/** The entry with the owner and mode that the options ask for. */
export function adapted(entry: TarEntry, { owner, mode }: Pick<CopyOptions, 'owner' | 'mode'>): TarEntry {
  return { ...entry, ...owner, mode: mode?.(entry.mode, entry.type === 'directory') ?? entry.mode };
}

/** Returns false when a link to a folder stands in its place: that folder keeps its own mode and owner. */
function placeFolder(entry: TarEntry, path: string, options: CopyOptions): boolean {
  using parent = openParent(options.root, path);
  const target = `${parent.path}/${posix.basename(path)}`;
  try {
    mkdirSync(fsPath(target));
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    if (!isFolderIn(options.root, path)) throw notAFolder(path);
    if (lstatSync(fsPath(target)).isSymbolicLink()) return false;
  }
  setAttributes(target, adapted(entry, options));
  return true;
}

async function placeFile(
  source: SourceEntry,
  written: string,
  options: CopyOptions,
  links: Map<string, string>,
): Promise<void> {
  const { entry, identity } = source;
  // A destination that is a link to a file means that file.
  const followed = entry.path === '' ? resolveInRoot(options.root, written) : undefined;
  const path = followed === undefined ? written : `/${followed.inRoot}`;
  using parent = openParent(options.root, path);
  const target = `${parent.path}/${posix.basename(path)}`;
  clear(target, path);
  const known = identity === '' ? undefined : links.get(identity);
  if (known !== undefined) {
    using first = openParent(options.root, known);
    linkSync(fsPath(`${first.path}/${posix.basename(known)}`), fsPath(target));
    return;
  }
  if (entry.type === 'file') await makeFile(source, target);
  else makeEntry(target, entry);
  setAttributes(target, adapted(entry, options));
  if (identity !== '') links.set(identity, path);
}

async function makeFile({ entry, from }: SourceEntry, target: string): Promise<void> {
  if ('text' in from) writeFileSync(fsPath(target), from.text, { flag: 'wx' });
  else if (entry.sizeBytes <= smallBytes) copyFileSync(fsPath(from.path), fsPath(target), constants.COPYFILE_EXCL);
  else await copyFile(fsPath(from.path), fsPath(target), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}
