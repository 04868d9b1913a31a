import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';

export interface VolumeFile {
  /** Relative, without `..`. */
  readonly path: string;
  readonly data: Uint8Array;
  readonly mode: number;
  /** Whose file it is; without it root's. */
  readonly uid?: number;
}

const dataLink = '..data';
const newLink = '..data_tmp';
/** Who is in a volume's group may read its files and enter its folders. */
const groupReads = 0o440;
const groupEnters = 0o2550;

/**
 * Makes the files those of a folder, all at the same moment: they lie in a folder of their own below it, the link
 * `..data` shows which, and what readers see are links through it (kubelet's AtomicWriter). With `group` they belong to it.
 * False: nothing was different.
 */
export function writeAtomically(folder: string, files: readonly VolumeFile[], group?: number): boolean {
  for (const { path } of files) checkPath(path);
  const before = targetOf(folder);
  if (before !== undefined && isSame(join(folder, before), files)) return false;
  const name = `..${newId().slice(0, 16)}`;
  mkdirSync(join(folder, name), { mode: 0o755 });
  setOwner(join(folder, name), 0o755 | (group === undefined ? 0 : groupEnters), undefined, group);
  for (const file of files) writeOne(join(folder, name), file, group);
  rmSync(join(folder, newLink), { force: true });
  symlinkSync(name, join(folder, newLink));
  renameSync(join(folder, newLink), join(folder, dataLink));
  showNames(folder, new Set(files.map(({ path }) => topOf(path))));
  for (const other of readdirSync(folder))
    if (other.startsWith('..') && other !== dataLink && other !== name)
      rmSync(join(folder, other), { recursive: true, force: true });
  return true;
}

function writeOne(folder: string, { path, data, mode, uid }: VolumeFile, group: number | undefined): void {
  const at = join(folder, path);
  let parent = folder;
  for (const part of dirname(path).split('/')) {
    parent = join(parent, part);
    mkdirSync(parent, { recursive: true });
    setOwner(parent, 0o755 | (group === undefined ? 0 : groupEnters), undefined, group);
  }
  writeFileSync(at, data, { mode: 0o600, flag: 'wx' });
  setOwner(at, mode | (group === undefined ? 0 : groupReads), uid, group);
}

/** The mode last: a change of the owner takes set-ID bits away. */
function setOwner(path: string, mode: number, uid: number | undefined, gid: number | undefined): void {
  if (uid !== undefined || gid !== undefined) {
    const stat = lstatSync(path);
    chownSync(path, uid ?? stat.uid, gid ?? stat.gid);
  }
  chmodSync(path, mode);
}

/** Links by the names that readers know; those of files that are gone go. */
function showNames(folder: string, names: ReadonlySet<string>): void {
  const shown = new Set(readdirSync(folder).filter((name) => !name.startsWith('..')));
  for (const name of names) if (!shown.has(name)) symlinkSync(join(dataLink, name), join(folder, name));
  for (const name of shown) if (!names.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

function targetOf(folder: string): string | undefined {
  try {
    return readlinkSync(join(folder, dataLink));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isSame(folder: string, files: readonly VolumeFile[]): boolean {
  const found = filesBelow(folder);
  if (found.length !== new Set(files.map(({ path }) => path)).size) return false;
  return files.every(({ path, data }) => found.includes(path) && readFileSync(join(folder, path)).equals(data));
}

function filesBelow(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function topOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function checkPath(path: string): void {
  const parts = path.split('/');
  if (path === '' || parts.includes('..') || parts.includes('') || path.startsWith('..'))
    throw new StatusError('InvalidArgument', `invalid path: must be relative and must not begin with "..": ${path}`);
}
