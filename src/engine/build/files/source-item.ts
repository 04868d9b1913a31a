import type { ArchiveKind } from './archive-kind.ts';

export type SourceType = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo';

/** A file, folder, link or device that COPY or ADD reads. */
export interface SourceEntry {
  /** Relative to its item; '' for the item itself. */
  readonly relative: string;
  readonly type: SourceType;
  /** Where its bytes are: an absolute path of this machine with no link in it, or the bytes themselves. */
  readonly from: { readonly path: string } | { readonly text: string };
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** Nanoseconds since the epoch; undefined: the time of copying. */
  readonly mtimeNs: bigint | undefined;
  readonly linkTarget: string;
  /** The kernel's device number of a device node. */
  readonly device: bigint;
  /** Equal for names of the same file; '' when it has one name only. */
  readonly identity: string;
}

/** One source: a file, or a folder whose content is meant. */
export interface SourceItem {
  /** The last part of the path as it was written, which a file keeps in a destination folder. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Set for a local file that is to be unpacked. */
  readonly archive?: ArchiveKind;
  /** Folders before what is in them. A folder's own entry is not among them. */
  readonly entries: readonly SourceEntry[];
}

/** An inline file of a Dockerfile. */
export function inlineItem(name: string, text: string): SourceItem {
  const sizeBytes = Buffer.byteLength(text);
  const entry = { ...plainFile, relative: '', from: { text }, mode: 0o644, sizeBytes, mtimeNs: undefined };
  return { name, isFolder: false, entries: [entry] };
}

/** A file that was fetched to `path`. */
export function fetchedItem(name: string, path: string, sizeBytes: number, mtimeNs: bigint): SourceItem {
  const entry = { ...plainFile, relative: '', from: { path }, mode: 0o600, sizeBytes, mtimeNs };
  return { name, isFolder: false, entries: [entry] };
}

const plainFile = { type: 'file', uid: 0, gid: 0, linkTarget: '', device: 0n, identity: '' } as const;
