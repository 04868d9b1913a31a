import type { TarEntry } from '#formats/tar-entry.ts';

/** A file, folder, link or device that COPY or ADD reads. */
export interface SourceEntry {
  /** `path` is relative to the item, '' for the item itself; further names of a file are files of their own here. */
  readonly entry: TarEntry;
  /** Where its bytes are: an absolute path of this machine with no link in it, or the bytes themselves. */
  readonly from: { readonly path: string } | { readonly text: string };
  /** Equal for names of the same file; '' when it has one name only. */
  readonly identity: string;
}

/** One source: a file, or a folder whose content is meant. */
export interface SourceItem {
  /** The last part of the path as it was written, which a file keeps in a destination folder. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Set for a local file that is to be unpacked. */
  readonly isArchive?: boolean;
  /** Folders before what is in them. A folder's own entry is not among them. */
  readonly entries: readonly SourceEntry[];
}

/** An inline file of a Dockerfile. */
export function inlineItem(name: string, text: string, mtimeNs: bigint): SourceItem {
  const entry: TarEntry = { ...plainFile, mode: 0o644, sizeBytes: Buffer.byteLength(text), mtimeNs };
  return { name, isFolder: false, entries: [{ entry, from: { text }, identity: '' }] };
}

/** A file that was fetched to `path`. */
export function fetchedItem(name: string, path: string, sizeBytes: number, mtimeNs: bigint): SourceItem {
  const entry: TarEntry = { ...plainFile, mode: 0o600, sizeBytes, mtimeNs };
  return { name, isFolder: false, entries: [{ entry, from: { path }, identity: '' }] };
}

const plainFile = {
  path: '',
  type: 'file',
  uid: 0,
  gid: 0,
  linkTarget: '',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map<string, Uint8Array>(),
} as const;
