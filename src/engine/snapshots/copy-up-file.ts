import { FileSink, makeEntry, setAttributes } from '#sys/tree/make-entry.ts';
import { readData } from '#sys/tree/read-data.ts';
import { entryOfNode, isOrdinaryXattr, LinkFinder } from '#sys/tree/tree-entry.ts';
import type { TreeNode } from '#sys/tree/walk-tree.ts';

/** Copies one file, link or node of a layer with all its attributes, as overlayfs does before it is changed. */
export function copyUpFile(node: TreeNode, to: string): void {
  const entry = entryOfNode(node, new LinkFinder(), isOrdinaryXattr);
  if (entry === undefined) throw new Error('invariant broken: layers hold no sockets');
  if (entry.type !== 'file') {
    makeEntry(to, entry);
    setAttributes(to, entry);
    return;
  }
  using sink = new FileSink(to, entry);
  for (const { bytes, offset } of readData(node.at)) sink.write(bytes, offset);
  sink.finish();
}
