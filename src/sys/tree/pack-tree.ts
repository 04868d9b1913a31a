import { createPauses } from '#base/pauses.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { bodyPadding, encodeHeader, endOfTar } from '#formats/tar/encode-header.ts';

import { readFileBody } from './read-file-body.ts';
import { entryOfNode, isPortableXattr, LinkFinder } from './tree-entry.ts';
import { type TreeNode, walkTree } from './walk-tree.ts';

export interface TreePacking {
  /** Folder whose tree is packed. */
  readonly start: string;
  /** Rewrites an entry (its path, its time), turns it into several, or leaves it out. Default: as it is. */
  readonly transform?: (entry: TarEntry, node: TreeNode) => readonly TarEntry[];
}

/**
 * The tree as an uncompressed tar; the same tree gives the same bytes. The start itself has the path ''. Sockets are left
 * out. Safe in a tree that others change meanwhile.
 */
export async function* packTree(
  packing: TreePacking,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pause = createPauses();
  const links = new LinkFinder();
  for (const node of walkTree(packing.start)) {
    signal.throwIfAborted();
    await pause();
    const found = entryOfNode(node, links, isPortableXattr);
    if (found === undefined) continue;
    for (const entry of packing.transform?.(found, node) ?? [found]) {
      yield encodeHeader(entry);
      if (entry.sizeBytes === 0) continue;
      yield* readFileBody(node.at, entry.sizeBytes);
      yield bodyPadding(entry.sizeBytes);
    }
  }
  yield endOfTar();
}
