import { decodeSize, damagedTar } from './header.ts';
import { type PaxRecords, parsePaxNumber } from './pax.ts';

/** Where a file has data; between are holes. */
export interface SparseMap {
  readonly realBytes: number;
  readonly pieces: readonly SparsePiece[];
}

export interface SparsePiece {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Pieces per file at most; GNU tar itself makes one per run of data. */
export const maxPieces = 65_536;
/** Bytes of the map that format 1.0 puts before the data. */
const maxMapBytes = 2_097_152;
const newline = 0x0a;

/** Throws Damaged unless the pieces ascend, lie inside the file, and are as long together as the archived data. */
export function checkSparse(map: SparseMap, archivedBytes: number): SparseMap {
  let end = 0;
  let sum = 0;
  if (map.pieces.length > maxPieces) throw damagedTar('a sparse file has too many pieces');
  for (const { offset, sizeBytes } of map.pieces) {
    if (offset < end || offset + sizeBytes > map.realBytes) throw damagedTar('a sparse map is out of order');
    end = offset + sizeBytes;
    sum += sizeBytes;
  }
  if (sum !== archivedBytes) throw damagedTar('a sparse map does not fit its data');
  return map;
}

/** `count` entries of an old GNU header (4 at 386) or of a block that extends it (21 at 0); unused ones are zero. */
export function decodeOldSparse(block: Uint8Array, start: number, count: number): readonly SparsePiece[] {
  return Array.from({ length: count }, (_, index) => ({
    offset: decodeSize(block, start + index * 24, 12),
    sizeBytes: decodeSize(block, start + index * 24 + 12, 12),
  })).filter(({ offset, sizeBytes }) => offset !== 0 || sizeBytes !== 0);
}

/** Formats 0.0 (repeated offset and numbytes) and 0.1 (one map); undefined when the records hold neither. */
export function sparseFromPax(records: PaxRecords): SparseMap | undefined {
  const realBytes = records.findLast(([key]) => key === 'GNU.sparse.size');
  if (realBytes === undefined) return undefined;
  const map = records.findLast(([key]) => key === 'GNU.sparse.map')?.[1];
  const numbers =
    map === undefined
      ? records
          .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
          .map(([, value]) => value)
      : map.length === 0
        ? []
        : Buffer.from(map)
            .toString('latin1')
            .split(',')
            .map((text) => Buffer.from(text));
  return { realBytes: parsePaxNumber(realBytes[1]), pieces: pairUp(numbers.map(parsePaxNumber)) };
}

/** Collects the map of format 1.0 block by block: the count, then offset and size each, one decimal per line. */
export class SparseMapText {
  #text = '';
  #lines = 0;
  #count: number | undefined;

  /** The pieces once the map is complete, else undefined: give the next block. */
  add(block: Uint8Array): readonly SparsePiece[] | undefined {
    this.#text += Buffer.from(block).toString('latin1');
    for (const byte of block) if (byte === newline) this.#lines += 1;
    if (this.#text.length > maxMapBytes) throw damagedTar('a sparse map is too long');
    if (this.#lines === 0) return undefined;
    this.#count ??= parsePaxNumber(Buffer.from(this.#text.slice(0, this.#text.indexOf('\n'))));
    if (this.#count > maxPieces) throw damagedTar('a sparse file has too many pieces');
    if (this.#lines < 2 * this.#count + 1) return undefined;
    const lines = this.#text.split('\n', 2 * this.#count + 1).slice(1);
    return pairUp(lines.map((line) => parsePaxNumber(Buffer.from(line))));
  }
}

function pairUp(numbers: readonly number[]): readonly SparsePiece[] {
  if (numbers.length % 2 !== 0) throw damagedTar('a sparse map is incomplete');
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: numbers[2 * index] ?? 0,
    sizeBytes: numbers[2 * index + 1] ?? 0,
  }));
}
