import { lchownSync, lstatSync } from 'node:fs';

import { createPauses } from '#base/pauses.ts';
import { changeMode } from '#sys/files.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';

const groupWrites = 0o660;
const folderBits = 0o2110;
const permissions = 0o7777;

/**
 * Gives a volume and all in it to a group that may read and write it; new files in it will be the group's too (set-group-ID
 * of folders). `onlyOnMismatch`: nothing is done when the folder itself is that already (fsGroupChangePolicy).
 */
export async function giveToGroup(
  folder: string,
  group: number,
  onlyOnMismatch: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (onlyOnMismatch && isGiven(folder, group)) return;
  const pause = createPauses();
  for (const { path, at } of walkTree(folder)) {
    signal.throwIfAborted();
    await pause();
    if (path !== '') giveOne(at, group);
  }
  // Last, since it says that all the others are done.
  giveOne(folder, group);
}

function giveOne(path: string, group: number): void {
  const stat = lstatSync(path);
  if (stat.gid !== group) lchownSync(path, stat.uid, group);
  if (stat.isSymbolicLink()) return;
  const wanted = (stat.mode & permissions) | groupWrites | (stat.isDirectory() ? folderBits : 0);
  if (wanted !== (stat.mode & permissions) || stat.gid !== group) changeMode(path, wanted);
}

function isGiven(folder: string, group: number): boolean {
  const { gid, mode } = lstatSync(folder);
  const wanted = groupWrites | folderBits;
  return gid === group && (mode & wanted) === wanted;
}
