import { createPauses } from '#base/pauses.ts';

import { LinkFinder } from './tree-entry.ts';
import { walkTree } from './walk-tree.ts';

const blockBytes = 512n;

/** Bytes that a folder takes on the disk with all below it, as du(1) counts: blocks, and a file with several names once. */
export async function diskUsage(path: string, signal: AbortSignal): Promise<number> {
  const pause = createPauses();
  const links = new LinkFinder();
  let blocks = 0n;
  for (const node of walkTree(path)) {
    signal.throwIfAborted();
    await pause();
    if (links.find(node) === undefined) blocks += node.stat.blocks;
  }
  return Number(blocks * blockBytes);
}
