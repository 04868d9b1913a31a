import { createPauses } from '#base/pauses.ts';

import type { FileSink } from './make-entry.ts';
import { readData } from './read-data.ts';
import { entryOfNode, LinkFinder } from './tree-entry.ts';
import { TreeWriter, type TreeWriterOptions } from './tree-writer.ts';
import { walkTree } from './walk-tree.ts';

export interface TreeCopy extends TreeWriterOptions {
  /** Folder whose tree is copied, itself included. */
  readonly from: string;
  /** Root that the copy stays in, whoever changes it meanwhile. */
  readonly root: string;
  /** Folder in the root that becomes like `from`. */
  readonly path: string;
  readonly keepsXattr: (name: string) => boolean;
}

/** Copies with owners, modes, times, extended attributes, hard links, devices and holes; sockets are left out. */
export async function copyTree(copy: TreeCopy, signal: AbortSignal): Promise<void> {
  const pause = createPauses();
  const links = new LinkFinder();
  using writer = new TreeWriter(copy.root, copy.path.split('/').filter(Boolean).join('/'), copy);
  for (const node of walkTree(copy.from)) {
    signal.throwIfAborted();
    await pause();
    const entry = entryOfNode(node, links, copy.keepsXattr);
    if (entry === undefined) continue;
    using file = await writer.add(entry);
    if (file === undefined) continue;
    if (entry.sizeBytes > 0) await copyData(node.at, file, signal);
    file.finish();
  }
  writer.finish();
}

async function copyData(at: string, file: FileSink, signal: AbortSignal): Promise<void> {
  const pause = createPauses();
  for (const { bytes, offset } of readData(at)) {
    signal.throwIfAborted();
    file.write(bytes, offset);
    await pause();
  }
}
