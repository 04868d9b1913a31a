import { closeSync, constants, openSync } from 'node:fs';

import { createPauses } from '#base/pauses.ts';
import { encodeSparseHeader } from '#formats/tar/encode-sparse.ts';
import { maxPieces, type SparsePiece } from '#formats/tar/sparse.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { bodyPadding, encodeHeader, endOfTar } from '#formats/tar/encode-header.ts';

import { fsPath } from '../file-path.ts';
import { nextData } from '../files.ts';
import { readFileBody } from './read-file-body.ts';
import { entryOfNode, isPortableXattr, LinkFinder } from './tree-entry.ts';
import { type TreeNode, walkTree } from './walk-tree.ts';

export interface TreePacking {
  /** Folder whose tree is packed. */
  readonly start: string;
  /** Rewrites an entry (its path, its time), turns it into several, or leaves it out. Default: as it is. */
  readonly transform?: (entry: TarEntry, node: TreeNode) => readonly TarEntry[];
  /** Files with holes are packed without them (GNU's sparse format 1.0). */
  readonly keepsHoles?: boolean;
  /** More follows: the end of the archive is left away. */
  readonly isOpen?: boolean;
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
      const pieces = packing.keepsHoles === true ? piecesOf(entry, node) : undefined;
      if (pieces !== undefined) {
        yield* packPieces(entry, node.at, pieces);
        continue;
      }
      yield encodeHeader(entry);
      if (entry.sizeBytes === 0) continue;
      yield* readFileBody(node.at, entry.sizeBytes);
      yield bodyPadding(entry.sizeBytes);
    }
  }
  if (packing.isOpen !== true) yield endOfTar();
}

/** Where a file with holes has data; undefined for one without, and for one in too many pieces. */
function piecesOf({ type, sizeBytes }: TarEntry, { at, stat }: TreeNode): readonly SparsePiece[] | undefined {
  if (type !== 'file' || sizeBytes === 0 || stat.blocks * 512n >= stat.size) return undefined;
  const fd = openSync(fsPath(at), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const pieces: SparsePiece[] = [];
    for (
      let data = nextData(fd, 0);
      data !== undefined;
      data = data.end < sizeBytes ? nextData(fd, data.end) : undefined
    ) {
      if (data.start >= sizeBytes) break;
      pieces.push({ offset: data.start, sizeBytes: Math.min(data.end, sizeBytes) - data.start });
      if (pieces.length >= maxPieces) return undefined;
    }
    return pieces;
  } finally {
    closeSync(fd);
  }
}

async function* packPieces(
  entry: TarEntry,
  at: string,
  pieces: readonly SparsePiece[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const { head, bodyBytes } = encodeSparseHeader(entry, pieces);
  yield head;
  for (const { offset, sizeBytes } of pieces) yield* readFileBody(at, sizeBytes, offset);
  yield bodyPadding(bodyBytes);
}
