import { closeSync, createReadStream, openSync, readSync } from 'node:fs';

import { reasonOf, StatusError } from '#base/errors.ts';
import { fsPath } from '#sys/file-path.ts';
import { decompress } from '../../stream/decompress.ts';

const blockBytes = 512;
const compressed = [Buffer.from([0x1f, 0x8b]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd])];

/**
 * Whether a local file is a tar archive by its bytes, plain or compressed, as ADD unpacks it. Throws NotSupported for
 * compressions that cannot be undone here.
 */
export async function isArchive(path: string): Promise<boolean> {
  const head = readHead(path);
  if (isTarHeader(head)) return true;
  const isCompressed = compressed.some((magic) => head.subarray(0, magic.length).equals(magic));
  const other = otherCompression(head);
  if (other !== undefined)
    throw new StatusError(
      'NotSupported',
      `Cannot unpack a file that is compressed by ${other}: ADD unpacks tar, gzip and zstd; ` +
        'use --unpack=false to add it as it is, or compress it by gzip',
    );
  return isCompressed && isTarHeader(await firstBlock(path));
}

/** Fewer bytes when there are no more, or they cannot be decompressed: then it is a file like any other. */
async function firstBlock(path: string): Promise<Uint8Array> {
  let block = Buffer.alloc(0);
  try {
    for await (const chunk of decompress(createReadStream(fsPath(path)))) {
      block = Buffer.concat([block, chunk]);
      if (block.length >= blockBytes) break;
    }
  } catch (error) {
    if (reasonOf(error) === 'Damaged') return new Uint8Array();
    throw error;
  }
  return block.subarray(0, blockBytes);
}

function otherCompression(head: Buffer): 'bzip2' | 'xz' | undefined {
  if (/^BZh[1-9]/.test(head.toString('latin1', 0, 4))) return 'bzip2';
  return head.toString('hex', 0, 6) === 'fd377a585a00' ? 'xz' : undefined;
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
  const fd = openSync(fsPath(path), 'r');
  try {
    return head.subarray(0, readSync(fd, head, 0, blockBytes, 0));
  } finally {
    closeSync(fd);
  }
}
