import { createPauses } from '#base/pauses.ts';

import { LinkFinder } from './tree-entry.ts';
import { walkTree } from './walk-tree.ts';

/** Sum of the sizes of all regular files below a folder; one with several names counts once. */
export async function measureTree(path: string, signal: AbortSignal): Promise<number> {
  const pause = createPauses();
  const links = new LinkFinder();
  let sumBytes = 0;
  for (const node of walkTree(path)) {
    signal.throwIfAborted();
    await pause();
    if (node.stat.isFile() && links.find(node) === undefined) sumBytes += Number(node.stat.size);
  }
  return sumBytes;
}
