import { StatusError } from '#base/errors.ts';

import { textOfBytes } from '../byte-text.ts';
import type { TarEntry, TarEntryType } from '../tar-entry.ts';
import { blockBytes, damagedTar, decodeHeader, decodeSize, isZeroBlock, padded, type TarHeader } from './header.ts';
import { type PaxRecords, parsePax, parsePaxNumber, parsePaxTime } from './pax.ts';
import {
  checkSparse,
  decodeOldSparse,
  maxPieces,
  type SparseMap,
  SparseMapText,
  type SparsePiece,
  sparseFromPax,
} from './sparse.ts';

/** What a parser tells while it eats; called synchronously from `push`, with views of the pushed bytes. */
export interface TarEvents {
  onEntry(entry: TarEntry): void;
  /** Bytes of the present file, at an offset in it: sparse files leave holes, and may end with one. */
  onBody(bytes: Uint8Array, offset: number): void;
  onEntryEnd(): void;
  /** All other bytes of the archive, in order: headers, padding, sparse maps, end. */
  onRaw?(bytes: Uint8Array): void;
}

/** Bytes of PAX records or of a long name. */
const maxSpecialBytes = 1_048_576;
const maxOwner = 0xffff_fffe;
const xattrPrefix = 'SCHILY.xattr.';

const types: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};

/**
 * Reads a tar archive that is pushed piece by piece, in pieces of any size: ustar, PAX with extended attributes, GNU
 * long names, base-256 numbers, sparse files of all formats. Holds at most a header and its extensions in memory. Global
 * PAX records are skipped, as Docker does. Throws Damaged for broken bytes, NotSupported for entries of other types.
 */
export class TarParser {
  readonly #events: TarEvents;
  #gathered: Uint8Array = new Uint8Array();
  #have = 0;
  #need = blockBytes;
  #then: (bytes: Uint8Array) => void;
  #pax: PaxRecords = [];
  #longName: string | undefined;
  #longLink: string | undefined;
  /** Body still to come, piece by piece, the present first. */
  #pieces: readonly SparsePiece[] = [];
  #piece = 0;
  #pieceDone = 0;
  #paddingBytes = 0;
  #inBody = false;
  #inPadding = false;
  #ended = false;
  /** Between two entries. */
  #clean = true;

  constructor(events: TarEvents) {
    this.#events = events;
    this.#then = this.#onHeader;
  }

  /** Whether the end of the archive was seen; what follows is only passed on as raw. */
  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#ended) {
        this.#events.onRaw?.(chunk.subarray(at));
        return;
      }
      at += this.#inBody ? this.#eatBody(chunk.subarray(at)) : this.#gather(chunk.subarray(at));
    }
  }

  /**
   * No more bytes: throws Damaged when the archive stops in the middle of an entry. What follows the last file's bytes may
   * be missing: docker's client sends a context so when its Dockerfile is from elsewhere (`docker build -f - .`).
   */
  end(): void {
    if (this.#ended) return;
    if (!this.#clean || (this.#have > 0 && !this.#inPadding)) throw damagedTar('it is truncated');
    if (this.#have > 0) this.#events.onRaw?.(this.#gathered.subarray(0, this.#have));
  }

  #gather(bytes: Uint8Array): number {
    const length = Math.min(this.#need - this.#have, bytes.length);
    if (this.#have === 0 && length === this.#need) {
      this.#complete(bytes.subarray(0, length));
      return length;
    }
    if (this.#have === 0) this.#gathered = new Uint8Array(this.#need);
    this.#gathered.set(bytes.subarray(0, length), this.#have);
    this.#have += length;
    if (this.#have === this.#need) this.#complete(this.#gathered);
    return length;
  }

  #complete(bytes: Uint8Array): void {
    this.#have = 0;
    this.#events.onRaw?.(bytes);
    this.#then(bytes);
  }

  /** Asks for that many bytes next; none: goes on at once. */
  #await(needBytes: number, then: (bytes: Uint8Array) => void): void {
    this.#need = needBytes;
    this.#then = then;
    if (needBytes === 0) then(new Uint8Array());
  }

  readonly #onHeader = (block: Uint8Array): void => {
    if (isZeroBlock(block)) {
      this.#await(blockBytes, this.#onSecondZero);
      return;
    }
    const header = decodeHeader(block);
    this.#clean = false;
    if ('xgLK'.includes(header.flag)) this.#onSpecial(header);
    else if (header.flag === 'S') this.#onOldSparse(header, block);
    else if (this.#paxText('GNU.sparse.major') === '1') this.#onNewSparse(header);
    else this.#startEntry(header, this.#withoutMap(header));
  };

  readonly #onSecondZero = (block: Uint8Array): void => {
    if (!isZeroBlock(block)) throw damagedTar('an empty block is followed by something');
    this.#ended = true;
  };

  #onSpecial(header: TarHeader): void {
    if (header.sizeBytes > maxSpecialBytes) throw damagedTar('a header is too long');
    this.#await(padded(header.sizeBytes), (bytes) => {
      const value = bytes.subarray(0, header.sizeBytes);
      if (header.flag === 'x') this.#pax = parsePax(value.slice());
      else if (header.flag === 'L') this.#longName = cut(value);
      else if (header.flag === 'K') this.#longLink = cut(value);
      this.#await(blockBytes, this.#onHeader);
    });
  }

  #onOldSparse(header: TarHeader, block: Uint8Array): void {
    const pieces = [...decodeOldSparse(block, 386, 4)];
    const realBytes = decodeSize(block, 483, 12);
    const start = (): void => this.#startEntry(header, checkSparse({ realBytes, pieces }, this.#archivedBytes(header)));
    const more = (extension: Uint8Array): void => {
      pieces.push(...decodeOldSparse(extension, 0, 21));
      if (pieces.length > maxPieces) throw damagedTar('a sparse file has too many pieces');
      if (extension[504] === 0) start();
      else this.#await(blockBytes, more);
    };
    if (block[482] === 0) start();
    else this.#await(blockBytes, more);
  }

  #onNewSparse(header: TarHeader): void {
    const realBytes = parsePaxNumber(this.#paxValue('GNU.sparse.realsize') ?? new Uint8Array());
    const text = new SparseMapText();
    let mapBytes = 0;
    const more = (block: Uint8Array): void => {
      mapBytes += blockBytes;
      const dataBytes = this.#archivedBytes(header) - mapBytes;
      if (dataBytes < 0) throw damagedTar('a sparse map is longer than its file');
      const pieces = text.add(block);
      if (pieces === undefined) this.#await(blockBytes, more);
      else this.#startEntry(header, checkSparse({ realBytes, pieces }, dataBytes));
    };
    this.#await(blockBytes, more);
  }

  #withoutMap(header: TarHeader): SparseMap {
    const sizeBytes = this.#archivedBytes(header);
    const map = sparseFromPax(this.#pax);
    if (map !== undefined) return checkSparse(map, sizeBytes);
    return { realBytes: sizeBytes, pieces: sizeBytes === 0 ? [] : [{ offset: 0, sizeBytes }] };
  }

  #startEntry(header: TarHeader, map: SparseMap): void {
    const entry = this.#describe(header, map.realBytes);
    this.#pax = [];
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#pieces = entry.type === 'file' ? map.pieces.filter(({ sizeBytes }) => sizeBytes > 0) : [];
    this.#piece = 0;
    this.#pieceDone = 0;
    const archivedBytes = this.#pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#paddingBytes = padded(archivedBytes) - archivedBytes;
    this.#events.onEntry(entry);
    this.#inBody = this.#pieces.length > 0;
    if (!this.#inBody) this.#finishEntry();
  }

  #eatBody(bytes: Uint8Array): number {
    const piece = this.#pieces[this.#piece];
    if (piece === undefined) throw new Error('invariant broken: no piece of the body is open');
    const length = Math.min(piece.sizeBytes - this.#pieceDone, bytes.length);
    this.#events.onBody(bytes.subarray(0, length), piece.offset + this.#pieceDone);
    this.#pieceDone += length;
    if (this.#pieceDone === piece.sizeBytes) {
      this.#piece += 1;
      this.#pieceDone = 0;
      if (this.#piece === this.#pieces.length) this.#finishEntry();
    }
    return length;
  }

  #finishEntry(): void {
    this.#inBody = false;
    this.#events.onEntryEnd();
    this.#clean = true;
    this.#inPadding = true;
    this.#await(this.#paddingBytes, () => {
      this.#inPadding = false;
      this.#await(blockBytes, this.#onHeader);
    });
  }

  /** Entries that are only a header have no body, whatever their size says. */
  #archivedBytes(header: TarHeader): number {
    if (types[header.flag] !== 'file') return 0;
    const size = this.#paxValue('size');
    return size === undefined ? header.sizeBytes : parsePaxNumber(size);
  }

  #describe(header: TarHeader, sizeBytes: number): TarEntry {
    const path = this.#paxText('GNU.sparse.name') ?? this.#paxText('path') ?? this.#longName ?? header.name;
    const linkTarget = this.#paxText('linkpath') ?? this.#longLink ?? header.linkName;
    const type = types[header.flag];
    if (type === undefined) throw unknownType(path, header.flag);
    if (path.includes('\0') || linkTarget.includes('\0')) throw damagedTar('a name contains NUL');
    const isOldDirectory = type === 'file' && path.endsWith('/');
    if (isOldDirectory && sizeBytes > 0) throw damagedTar(`directory "${path}" has a body`);
    const mtime = this.#paxText('mtime');
    return {
      path,
      type: isOldDirectory ? 'directory' : type,
      mode: header.mode,
      uid: ownerOf(this.#paxValue('uid'), header.uid),
      gid: ownerOf(this.#paxValue('gid'), header.gid),
      sizeBytes: type === 'file' ? sizeBytes : 0,
      mtimeNs: mtime === undefined ? BigInt(header.mtimeSeconds) * 1_000_000_000n : parsePaxTime(mtime),
      linkTarget: type === 'symlink' || type === 'hardlink' ? linkTarget : '',
      deviceMajor: type === 'character' || type === 'block' ? header.deviceMajor : 0,
      deviceMinor: type === 'character' || type === 'block' ? header.deviceMinor : 0,
      xattrs: this.#xattrs(),
    };
  }

  #xattrs(): ReadonlyMap<string, Uint8Array> {
    const found = this.#pax.filter(([key]) => key.startsWith(xattrPrefix));
    return new Map(found.map(([key, value]) => [key.slice(xattrPrefix.length), value]));
  }

  /** An empty value takes the record back. */
  #paxValue(key: string): Uint8Array | undefined {
    const value = this.#pax.findLast(([name]) => name === key)?.[1];
    return value === undefined || value.length === 0 ? undefined : value;
  }

  #paxText(key: string): string | undefined {
    const value = this.#paxValue(key);
    return value === undefined ? undefined : textOfBytes(value);
  }
}

/** 2^32-1 means "leave as it is" to chown(2). */
function ownerOf(pax: Uint8Array | undefined, inHeader: number): number {
  const owner = pax === undefined ? inHeader : parsePaxNumber(pax);
  if (owner < 0 || owner > maxOwner) throw damagedTar('an owner is out of range');
  return owner;
}

function cut(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return textOfBytes(end < 0 ? bytes : bytes.subarray(0, end));
}

function unknownType(path: string, flag: string): StatusError {
  const state = `its type ${JSON.stringify(flag)} is unknown`;
  return new StatusError('NotSupported', `Cannot read tar entry "${path}": ${state}; make the archive without it`);
}
