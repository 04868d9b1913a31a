import { constants, existsSync, readdirSync } from 'node:fs';

import { removeDurably, writeDurably } from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';
import { syncFilesystem } from '#sys/files.ts';
import { openInRoot, openPath, type RootedFile } from '#sys/rooted.ts';
import { copyTree } from '#sys/tree/copy-tree.ts';
import { isOrdinaryXattr } from '#sys/tree/tree-entry.ts';

import { volumePaths } from './volume-folder.ts';

/** Fills an empty volume with what is at `path` inside `root`. */
export async function copyUp(folder: string, root: string, path: string, signal: AbortSignal): Promise<void> {
  const { data, copying } = volumePaths(folder);
  // The note is made before the first file and removed after the last is on the disk.
  if (readdirSync(data).length > 0 && !existsSync(copying)) return;
  using source = openFolder(root, path);
  if (source === undefined) return;
  const hasContent = readdirSync(source.path).length > 0;
  if (hasContent) await writeDurably(copying, '');
  await copyTree({ from: source.path, root: data, path: '', keepsXattr: isOrdinaryXattr }, signal);
  if (!hasContent) return;
  await syncFilesystem(data);
  await removeDurably(copying);
}

/** The folder at `path` inside `root`, undefined when there is none. */
function openFolder(root: string, path: string): RootedFile | undefined {
  try {
    return openInRoot(root, path, openPath | constants.O_DIRECTORY);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
