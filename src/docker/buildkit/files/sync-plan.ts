import type { BigIntStats } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import type { TarEntry } from '#formats/tar-entry.ts';

/** A file that is here already. */
export interface PresentFile {
  readonly stat: Pick<BigIntStats, 'mode' | 'size' | 'mtimeNs' | 'nlink'>;
  /** Target of a symbolic link; '' for anything else. */
  readonly linkTarget: string;
}

export interface OfferedFile {
  /** By which its bytes are asked for: its place among all that the client named. */
  readonly id: number;
  readonly entry: TarEntry;
}

/** What makes the files that are here equal to those that the client has. */
export interface SyncPlan {
  /** Paths to remove first, each with all below it. */
  readonly remove: readonly string[];
  readonly folders: readonly TarEntry[];
  /** Regular files whose bytes are needed. */
  readonly fetch: readonly OfferedFile[];
  readonly links: readonly TarEntry[];
}

/**
 * Compares by kind, size, mode and time of change, which is set when a file is complete. Throws InvalidArgument when the
 * client's names are not in order, or their folders are not among them.
 */
export function planSync(present: ReadonlyMap<string, PresentFile>, offered: readonly OfferedFile[]): SyncPlan {
  const wanted = new Map<string, TarEntry>();
  for (const { entry } of offered) {
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')));
    if (wanted.has(entry.path) || (parent !== '' && wanted.get(parent)?.type !== 'directory'))
      throw new StatusError('InvalidArgument', `Cannot read the client's files: "${entry.path}" is out of order`);
    if (entry.type === 'hardlink' && wanted.get(entry.linkTarget)?.type !== 'file')
      throw new StatusError('InvalidArgument', `Cannot read the client's files: "${entry.path}" links to nothing`);
    wanted.set(entry.path, entry);
  }
  const isKept = (path: string, file: PresentFile): boolean => {
    const entry = wanted.get(path);
    return entry !== undefined && isSame(file, entry);
  };
  const changed = offered.filter(({ entry }) => {
    const file = present.get(entry.path);
    return file === undefined || !isSame(file, entry);
  });
  const ofType = (type: TarEntry['type']): readonly TarEntry[] =>
    changed.map(({ entry }) => entry).filter((entry) => entry.type === type);
  return {
    remove: outermost([...present].filter(([path, file]) => !isKept(path, file)).map(([path]) => path)),
    folders: ofType('directory'),
    fetch: changed.filter(({ entry }) => entry.type === 'file'),
    links: [...ofType('symlink'), ...ofType('fifo'), ...ofType('hardlink')],
  };
}

/** Folders stay whatever their mode and time, which are set at the end. */
function isSame({ stat, linkTarget }: PresentFile, entry: TarEntry): boolean {
  const type = Number(stat.mode & 0o170000n);
  if (entry.type === 'directory') return type === 0o040000;
  if (entry.type === 'symlink') return type === 0o120000 && linkTarget === entry.linkTarget;
  if (entry.type !== 'file' || type !== 0o100000) return false;
  const hasMode = Number(stat.mode & 0o7777n) === entry.mode;
  // A file with a second name may be the one that a link was made to meanwhile.
  return hasMode && stat.nlink === 1n && stat.size === BigInt(entry.sizeBytes) && stat.mtimeNs === entry.mtimeNs;
}

/** Paths without those below another one of them. `paths` has folders before their content. */
function outermost(paths: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const path of paths) if (kept.length === 0 || !path.startsWith(`${kept.at(-1) ?? ''}/`)) kept.push(path);
  return kept;
}
