import type { TarEntry } from '../tar-entry.ts';
import { encodeHeader } from './encode-header.ts';
import { padded } from './header.ts';
import type { SparsePiece } from './sparse.ts';

/**
 * Header and map of a file with holes (GNU tar manual, "Storing Sparse Files", PAX format 1.0); the bytes of the pieces
 * follow, one after the other, then the padding of `bodyBytes`.
 */
export function encodeSparseHeader(
  entry: TarEntry,
  pieces: readonly SparsePiece[],
): { readonly head: Uint8Array; readonly bodyBytes: number } {
  const end = pieces.at(-1);
  const endsWithData = end !== undefined && end.offset + end.sizeBytes === entry.sizeBytes;
  // A last piece of no bytes says where the file ends.
  const listed = endsWithData ? pieces : [...pieces, { offset: entry.sizeBytes, sizeBytes: 0 }];
  const lines = [listed.length, ...listed.flatMap(({ offset, sizeBytes }) => [offset, sizeBytes])];
  const map = Buffer.from(lines.map((line) => `${String(line)}\n`).join(''));
  const mapBytes = padded(map.length);
  const bodyBytes = pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, mapBytes);
  const header = encodeHeader({ ...entry, path: `GNUSparseFile.0/${shortName(entry.path)}`, sizeBytes: bodyBytes }, [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', entry.path],
    ['GNU.sparse.realsize', String(entry.sizeBytes)],
  ]);
  return { head: Buffer.concat([header, map, new Uint8Array(mapBytes - map.length)]), bodyBytes };
}

/** What readers that know no sparse files would call it. */
function shortName(path: string): string {
  return (path.split('/').at(-1) ?? '').replace(/[^ -~]/g, '').slice(0, 80) || '_';
}
