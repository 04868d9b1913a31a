import { crc32 } from 'node:zlib';

/**
 * What is kept beside a value, so that one that the disk has changed, or that stands under another key or revision, is
 * noticed: SQLite itself checks its pages' structure only.
 */
export function checksum(key: string, value: Uint8Array, revision: bigint): number {
  return crc32(value, crc32(`${key}\0${String(revision)}`));
}
