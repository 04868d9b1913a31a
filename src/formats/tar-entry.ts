export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

/** One member of a tar archive, as read or to be written. */
export interface TarEntry {
  /** As in the archive: `/`-separated, may begin with `./` or `/`; directories may end with `/`. */
  readonly path: string;
  readonly type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the body; 0 unless `type` is `file`. */
  readonly sizeBytes: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** Target of a symlink (verbatim) or hard link (a path in the archive); else ''. */
  readonly linkTarget: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes by full name, such as `security.capability` (PAX `SCHILY.xattr.`). */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}
