import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  lchownSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';

import type { TarEntry } from '#formats/tar-entry.ts';

import { hasCode } from '../errno.ts';
import { fsPath } from '../file-path.ts';
import { changeMode, makeNode, setOpenTimes, setTimes } from '../files.ts';
import { setXattr } from '../xattrs.ts';
import { isOrdinaryXattr } from './tree-entry.ts';

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A regular file that is being written; closed by `finish` or disposal. */
export class FileSink implements Disposable {
  readonly #at: string;
  readonly #entry: TarEntry;
  readonly #fd: number;
  #end = 0;
  #closed = false;

  /** Makes the file; throws EEXIST when there is something at `at`. `at` must stay valid until `finish`. */
  constructor(at: string, entry: TarEntry) {
    this.#at = at;
    this.#entry = entry;
    this.#fd = openSync(fsPath(at), newFile, 0o600);
  }

  get fd(): number {
    return this.#fd;
  }

  write(bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.length;)
      done += writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
    this.#end = offset + bytes.length;
  }

  /** Gives it its size (the end may be a hole), owner, mode, extended attributes and time. */
  finish(): void {
    const { uid, gid, mode, mtimeNs, sizeBytes, xattrs } = this.#entry;
    if (this.#end < sizeBytes) ftruncateSync(this.#fd, sizeBytes);
    fchownSync(this.#fd, uid, gid);
    fchmodSync(this.#fd, mode);
    setXattrs(this.#at, xattrs);
    setOpenTimes(this.#fd, mtimeNs, mtimeNs);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }
}

/** Makes a folder, symbolic link or node where nothing is yet (EEXIST), without attributes but its own kind. */
export function makeEntry(at: string, entry: TarEntry): void {
  if (entry.type === 'directory') mkdirSync(fsPath(at), { mode: 0o700 });
  else if (entry.type === 'symlink') symlinkSync(fsPath(entry.linkTarget), fsPath(at));
  else if (entry.type === 'character' || entry.type === 'block' || entry.type === 'fifo')
    makeNode(at, entry.type, 0o600, entry.deviceMajor, entry.deviceMinor);
  else throw new Error(`invariant broken: ${entry.type} is not made here`);
}

/** Owner, mode, extended attributes; the time too unless it is a folder, whose time changes with its content. */
export function setAttributes(at: string, entry: TarEntry): void {
  lchownSync(fsPath(at), entry.uid, entry.gid);
  if (entry.type !== 'symlink') changeMode(at, entry.mode);
  setXattrs(at, entry.xattrs);
  if (entry.type !== 'directory') setTimes(at, entry.mtimeNs, entry.mtimeNs);
}

/**
 * Overlayfs' own attributes are left out: they would point into other folders. So is what this filesystem or kernel does
 * not take, unless losing it changes what a program may do.
 */
function setXattrs(at: string, xattrs: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, value] of xattrs) {
    if (!isOrdinaryXattr(name)) continue;
    try {
      setXattr(at, name, value);
    } catch (error) {
      if (name === 'security.capability' || !hasCode(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) throw error;
    }
  }
}
