import { type BigIntStats } from 'node:fs';

import { createPauses } from '#base/pauses.ts';
import { walkTree, type TreeNode } from '#sys/tree/walk-tree.ts';

import { isOpaque, isWhiteout, type LowerView } from './lower-view.ts';
import type { Change, ChangeKind } from './snapshots.ts';

/**
 * What an upper folder changes in the layers below, sorted by path, as `docker diff` tells it: a folder is modified when
 * something in it or about itself changed.
 */
export async function findChanges(upper: string, lower: LowerView, signal: AbortSignal): Promise<readonly Change[]> {
  const pause = createPauses();
  const kinds = new Map<string, ChangeKind>();
  for (const node of walkTree(upper)) {
    signal.throwIfAborted();
    await pause();
    if (node.path === '') continue;
    for (const [path, kind] of changesOf(node, lower)) {
      kinds.set(path, kind);
      markParents(path, kinds);
    }
  }
  const sorted = [...kinds].sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([path, kind]) => ({ path: `/${path}`, kind }));
}

function* changesOf(node: TreeNode, lower: LowerView): Generator<[string, ChangeKind]> {
  const below = lower.lookup(node.path);
  if (isWhiteout(node.stat)) {
    if (below !== undefined) yield [node.path, 'deleted'];
    return;
  }
  if (below === undefined) {
    yield [node.path, 'added'];
    return;
  }
  const areFolders = node.stat.isDirectory() && below.stat.isDirectory();
  if (!areFolders || !isSameFolder(node.stat, below.stat)) yield [node.path, 'modified'];
  if (!areFolders || !isOpaque(node.at)) return;
  for (const name of lower.list(node.path)) yield [`${node.path}/${name}`, 'deleted'];
}

/** A folder is in the upper one already when only something deep inside changed. */
function isSameFolder(one: BigIntStats, other: BigIntStats): boolean {
  return one.mode === other.mode && one.uid === other.uid && one.gid === other.gid && one.mtimeNs === other.mtimeNs;
}

function markParents(path: string, kinds: Map<string, ChangeKind>): void {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const parent = path.slice(0, slash);
    if (!kinds.has(parent)) kinds.set(parent, 'modified');
  }
}
