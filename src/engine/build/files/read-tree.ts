import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { SourceEntry, SourceType } from './source-item.ts';

/** Files and folders that one COPY may read. */
const maxEntries = 1_000_000;

/** `look`: not itself, but something below it may be wanted; its folder comes along then. */
export type Verdict = 'take' | 'look' | 'skip';

/**
 * Lists what lies below a folder, sorted by name, folders before their content; links are listed, never followed.
 * `judge` gets paths relative to the folder. Sockets are left out: they mean nothing in an image.
 */
export async function readTree(
  folder: string,
  judge: (relative: string, isFolder: boolean) => Verdict,
  signal: AbortSignal,
): Promise<readonly SourceEntry[]> {
  const entries: SourceEntry[] = [];
  const pending: SourceEntry[] = [];
  const take = (entry: SourceEntry): void => {
    entries.push(...pending.splice(0), entry);
    if (entries.length > maxEntries)
      throw new StatusError('TooLarge', `there are more than ${String(maxEntries)} files to copy`);
  };
  const walk = async (relative: string): Promise<void> => {
    signal.throwIfAborted();
    const names = (await readdir(join(folder, relative))).sort();
    for (const name of names) {
      const below = relative === '' ? name : `${relative}/${name}`;
      const entry = readEntry(join(folder, below), below);
      if (entry === undefined) continue;
      const isFolder = entry.type === 'directory';
      const verdict = judge(below, isFolder);
      if (verdict === 'take') take(entry);
      else if (verdict === 'look' && isFolder) pending.push(entry);
      if (isFolder && verdict !== 'skip') await walk(below);
      if (pending.at(-1) === entry) pending.pop();
    }
  };
  await walk('');
  return entries;
}

/** One entry at an absolute path; undefined for a socket. */
export function readEntry(path: string, relative: string): SourceEntry | undefined {
  const stats = lstatSync(path, { bigint: true });
  const type = typeOf(stats);
  if (type === undefined) return undefined;
  return {
    relative,
    type,
    from: { path },
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: type === 'file' ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    linkTarget: type === 'symlink' ? readlinkSync(path) : '',
    device: type === 'character' || type === 'block' ? stats.rdev : 0n,
    identity: type !== 'directory' && stats.nlink > 1n ? `${String(stats.dev)}:${String(stats.ino)}` : '',
  };
}

function typeOf(stats: BigIntStats): SourceType | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isCharacterDevice()) return 'character';
  if (stats.isBlockDevice()) return 'block';
  return stats.isFIFO() ? 'fifo' : undefined;
}
