import { lchownSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { readTar, type TarMember } from '#formats/tar/read-tar.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { hasCode } from '#sys/errno.ts';
import { changeMode, isMissing, makeNode, setTimes } from '#sys/files.ts';
import { openInRoot } from '#sys/rooted.ts';
import { setXattr } from '#sys/xattrs.ts';
import { readArchive } from './archive-kind.ts';
import type { CopyOptions } from './copy-files.ts';
import { isCopiedXattr } from './hash-files.ts';
import { clear, makeFolders, notAFolder, openParent, refuseWhiteout } from './place.ts';
import { isFolderIn } from './resolve-in-root.ts';
import type { SourceItem } from './source-item.ts';

/**
 * Unpacks an archive into the destination folder; does nothing for other items. Links on the way are followed inside
 * the root only. Throws InvalidArgument for a path with `..`, Damaged for broken bytes.
 */
export async function extractArchive(item: SourceItem, options: CopyOptions, signal: AbortSignal): Promise<void> {
  const from = item.entries[0]?.from;
  if (item.archive === undefined || from === undefined || !('path' in from)) return;
  makeFolders(options.root, options.destination, options.folderOwner);
  const folders: { readonly path: string; readonly mtimeNs: bigint }[] = [];
  await using source = readArchive(from.path, item.archive);
  try {
    for await (const member of readTar(source)) {
      signal.throwIfAborted();
      const path = targetOf(options, member.entry.path);
      await extract(member, path, options);
      if (member.entry.type === 'directory') folders.push({ path, mtimeNs: member.entry.mtimeNs });
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^(Z_|ERR_ZSTD)/.test(String(error.code)))
      throw new StatusError('Damaged', `Cannot unpack "${item.name}": ${error.message}`, { cause: error });
    throw error;
  }
  for (const { path, mtimeNs } of folders.reverse()) {
    using folder = openInRoot(options.root, path);
    setTimes(`${folder.path}/.`, mtimeNs, mtimeNs);
  }
}

function targetOf({ destination }: CopyOptions, path: string): string {
  if (path.split('/').includes('..'))
    throw new StatusError('InvalidArgument', `Cannot unpack "${path}": the path leads out of the archive`);
  return posix.join('/', destination, path).replace(/(.)\/$/, '$1');
}

async function extract({ entry, body }: TarMember, path: string, options: CopyOptions): Promise<void> {
  refuseWhiteout(posix.basename(path));
  if (entry.type === 'directory') {
    extractFolder(entry, path, options);
    return;
  }
  makeFolders(options.root, posix.dirname(path), options.folderOwner);
  using parent = openParent(options.root, path);
  const target = `${parent.path}/${posix.basename(path)}`;
  if (entry.type === 'hardlink') {
    linkTo(entry, target, path, options);
    return;
  }
  clear(target, path);
  if (entry.type === 'symlink') symlinkSync(entry.linkTarget, target);
  else if (entry.type === 'file') await writeBody(body, target);
  else makeNode(target, entry.type, 0o600, entry.deviceMajor, entry.deviceMinor);
  finish(target, entry, options);
  setTimes(target, entry.mtimeNs, entry.mtimeNs);
}

function extractFolder(entry: TarEntry, path: string, options: CopyOptions): void {
  if (path === '/') return;
  makeFolders(options.root, posix.dirname(path), options.folderOwner);
  using parent = openParent(options.root, path);
  const target = `${parent.path}/${posix.basename(path)}`;
  try {
    mkdirSync(target);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    if (!isFolderIn(options.root, path)) throw notAFolder(path);
  }
  using folder = openInRoot(options.root, path);
  finish(`${folder.path}/.`, entry, options);
}

/** The target is a path of the archive, and must have come before. */
function linkTo(entry: TarEntry, target: string, path: string, options: CopyOptions): void {
  const first = targetOf(options, entry.linkTarget);
  if (first === path) return;
  clear(target, path);
  try {
    using parent = openParent(options.root, first);
    linkSync(`${parent.path}/${posix.basename(first)}`, target);
  } catch (error) {
    if (!isMissing(error) && !hasCode(error, 'EPERM')) throw error;
    throw new StatusError(
      'Damaged',
      `Cannot unpack "${entry.path}": there is nothing at "${entry.linkTarget}" to link to`,
      {
        cause: error,
      },
    );
  }
}

async function writeBody(body: AsyncIterable<Uint8Array>, target: string): Promise<void> {
  await using file = await open(target, 'wx', 0o600);
  for await (const bytes of body) await file.writeFile(bytes);
}

/** Owner before mode: chown takes setuid away. */
function finish(target: string, entry: TarEntry, { owner, mode }: CopyOptions): void {
  lchownSync(target, owner?.uid ?? entry.uid, owner?.gid ?? entry.gid);
  if (entry.type !== 'symlink') changeMode(target, mode?.(entry.mode, entry.type === 'directory') ?? entry.mode);
  for (const [name, value] of entry.xattrs) if (isCopiedXattr(name)) setXattr(target, name, value);
}
