import { lstatSync } from 'node:fs';
import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import { fsPath } from '#sys/file-path.ts';
import { entryOfNode, isPortableXattr, LinkFinder } from '#sys/tree/tree-entry.ts';
import { namesIn } from '#sys/tree/walk-tree.ts';
import type { SourceEntry } from './source-item.ts';

/** Files and folders that one COPY may read. */
const maxEntries = 1_000_000;

/** `look`: not itself, but something below it may be wanted; its folder comes along then. */
export type Verdict = 'take' | 'look' | 'skip';

/**
 * Lists what lies below a folder that nobody changes, sorted by name, folders before their content; links are listed,
 * never followed. `judge` gets paths relative to the folder. Sockets are left out: they mean nothing in an image.
 */
export async function readTree(
  folder: string,
  judge: (relative: string, isFolder: boolean) => Verdict,
  signal: AbortSignal,
): Promise<readonly SourceEntry[]> {
  const pause = createPauses();
  const entries: SourceEntry[] = [];
  const pending: SourceEntry[] = [];
  const walk = async (relative: string): Promise<void> => {
    for (const name of namesIn(posix.join(folder, relative))) {
      signal.throwIfAborted();
      await pause();
      const below = relative === '' ? name : `${relative}/${name}`;
      const source = readEntry(posix.join(folder, below), below);
      if (source === undefined) continue;
      const isFolder = source.entry.type === 'directory';
      const verdict = judge(below, isFolder);
      if (verdict === 'take') entries.push(...pending.splice(0), source);
      else if (verdict === 'look' && isFolder) pending.push(source);
      if (entries.length > maxEntries)
        throw new StatusError('TooLarge', `there are more than ${String(maxEntries)} files to copy`);
      if (isFolder && verdict !== 'skip') await walk(below);
      if (pending.at(-1) === source) pending.pop();
    }
  };
  await walk('');
  return entries;
}

/** One entry at an absolute path; undefined for a socket. */
export function readEntry(at: string, path: string): SourceEntry | undefined {
  const stat = lstatSync(fsPath(at), { bigint: true });
  const entry = entryOfNode({ at, path, stat }, new LinkFinder(), isPortableXattr);
  const isShared = stat.nlink > 1n && !stat.isDirectory();
  const identity = isShared ? `${String(stat.dev)}:${String(stat.ino)}` : '';
  return entry === undefined ? undefined : { entry, from: { path: at }, identity };
}
