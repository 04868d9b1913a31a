import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

import { StatusError } from '#base/errors.ts';

export type ArchiveKind = 'tar' | 'gzip' | 'zstd';

const blockBytes = 512;
const magics: readonly (readonly [string, string])[] = [
  ['gzip', '1f8b08'],
  ['zstd', '28b52ffd'],
  ['bzip2', '425a68'],
  ['xz', 'fd377a585a00'],
];

/**
 * What kind of tar archive a local file is by its first bytes, as ADD unpacks it; undefined for other files, compressed
 * ones among them. Throws NotSupported for compressions that cannot be undone here.
 */
export async function archiveKind(path: string): Promise<ArchiveKind | undefined> {
  const head = readHead(path);
  const start = head.toString('hex', 0, 6);
  const compression = magics.find(([, magic]) => start.startsWith(magic))?.[0];
  if (compression === 'bzip2' || compression === 'xz')
    throw new StatusError(
      'NotSupported',
      `Cannot unpack a file that is compressed by ${compression}: ADD unpacks tar, gzip and zstd; ` +
        'use --unpack=false to add it as it is, or compress it by gzip',
    );
  if (compression === undefined) return isTarHeader(head) ? 'tar' : undefined;
  const kind = compression === 'gzip' ? 'gzip' : 'zstd';
  return isTarHeader(await firstBlock(path, kind)) ? kind : undefined;
}

/** The archive's bytes, uncompressed. */
export function readArchive(path: string, kind: ArchiveKind): Readable {
  const source = createReadStream(path, { highWaterMark: 256 * 1024 });
  if (kind === 'tar') return source;
  const decompressed = kind === 'gzip' ? createGunzip() : createZstdDecompress();
  source.on('error', (error) => decompressed.destroy(error));
  decompressed.on('close', () => source.destroy());
  return source.pipe(decompressed);
}

/** Fewer bytes when there are no more, or they cannot be decompressed: then it is a file like any other. */
async function firstBlock(path: string, kind: ArchiveKind): Promise<Uint8Array> {
  let block = Buffer.alloc(0);
  try {
    for await (const chunk of readArchive(path, kind)) {
      block = Buffer.concat([block, chunk as Buffer]);
      if (block.length >= blockBytes) break;
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return new Uint8Array();
  }
  return block.subarray(0, blockBytes);
}

/** Whether a block has a tar header's checksum (POSIX.1-2017, pax: ustar interchange format). */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < blockBytes) return false;
  const text = Buffer.from(block.subarray(148, 156)).toString('latin1').replaceAll('\0', ' ').trim();
  if (!/^[0-7]{1,7}$/.test(text)) return false;
  const sum = block.subarray(0, blockBytes).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return sum === Number.parseInt(text, 8);
}

function readHead(path: string): Buffer {
  const head = Buffer.alloc(blockBytes);
  const fd = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(fd, head, 0, blockBytes, 0));
  } finally {
    closeSync(fd);
  }
}
