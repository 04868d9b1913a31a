import { closeSync, constants, openSync, readSync } from 'node:fs';

import { createPauses } from '#base/pauses.ts';

import { fsPath } from '../file-path.ts';
import { nextData } from '../files.ts';
import type { FileSink } from './make-entry.ts';
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

const chunkBytes = 1_048_576;

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
  const source = openSync(fsPath(at), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let data = nextData(source, 0); data !== undefined; data = nextData(source, data.end)) {
      for (let done = data.start; done < data.end;) {
        signal.throwIfAborted();
        await pause();
        const length = readSync(source, buffer, 0, Math.min(chunkBytes, data.end - done), done);
        if (length === 0) return;
        file.write(buffer.subarray(0, length), done);
        done += length;
      }
    }
  } finally {
    closeSync(source);
  }
}
