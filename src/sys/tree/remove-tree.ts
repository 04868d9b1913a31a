import { closeSync, constants, lstatSync, openSync, rmdirSync, unlinkSync } from 'node:fs';

import { createPauses } from '#base/pauses.ts';

import { hasCode } from '../errno.ts';
import { fsPath } from '../file-path.ts';
import { namesIn } from './walk-tree.ts';

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Removes a file or folder with all below it; nothing there is fine. Follows no links, takes names that are not UTF-8
 * and folders that are deeper than a path can name, and gives other work a turn in between.
 */
export async function removeTree(path: string): Promise<void> {
  const pause = createPauses();
  const stack: { readonly fd: number; readonly at: string; readonly names: string[] }[] = [];
  try {
    const first = openOrUnlink(path);
    if (first !== undefined) stack.push(first);
    for (let folder = stack.at(-1); folder !== undefined; folder = stack.at(-1)) {
      await pause();
      const name = folder.names.pop();
      if (name === undefined) {
        stack.pop();
        closeSync(folder.fd);
        ignoreMissing(() => rmdirSync(fsPath(folder.at)));
        continue;
      }
      const inner = openOrUnlink(`/proc/self/fd/${String(folder.fd)}/${name}`);
      if (inner !== undefined) stack.push(inner);
    }
  } finally {
    for (const { fd } of stack) closeSync(fd);
  }
}

function openOrUnlink(at: string): { fd: number; at: string; names: string[] } | undefined {
  const stat = lstatSync(fsPath(at), { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isDirectory()) {
    ignoreMissing(() => unlinkSync(fsPath(at)));
    return undefined;
  }
  const fd = openSync(fsPath(at), folderFlags);
  return { fd, at, names: namesIn(`/proc/self/fd/${String(fd)}`) };
}

function ignoreMissing(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
