import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';

import { readXattrs } from '#sys/xattrs.ts';
import type { SourceEntry, SourceItem } from './source-item.ts';

/** Files up to this size are read at once: a stream costs more than it saves. */
const smallBytes = 128 * 1024;

/**
 * A digest over what copying the items makes: names, types, modes, links, devices, extended attributes, bytes, and
 * owners unless they will be overridden. Times are no part of it, as in BuildKit.
 */
export async function hashFiles(
  items: readonly SourceItem[],
  options: { readonly owners: boolean },
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, isFolder, archive, entries } of items) {
    hash.update(`${JSON.stringify([name, isFolder, archive ?? null, entries.length])}\n`);
    for (const entry of entries) {
      const owner = options.owners ? [entry.uid, entry.gid] : [];
      const { relative, type, mode, sizeBytes, linkTarget, device } = entry;
      hash.update(`${JSON.stringify([relative, type, mode, owner, sizeBytes, linkTarget, String(device)])}\n`);
      await hashContent(hash, entry, signal);
    }
  }
  return hash.digest('hex');
}

/** Attributes that belong to this machine's security modules and filesystems, not to the file. */
export function isCopiedXattr(name: string): boolean {
  return !/^(system\.|trusted\.overlay\.|security\.(selinux|ima|evm|SMACK64))/.test(name);
}

async function hashContent(hash: Hash, { from, type, sizeBytes }: SourceEntry, signal: AbortSignal): Promise<void> {
  if ('text' in from) {
    hash.update(from.text);
    return;
  }
  for (const [name, value] of readXattrs(from.path))
    if (isCopiedXattr(name)) hash.update(`${JSON.stringify([name, Buffer.from(value).toString('hex')])}\n`);
  if (type !== 'file') return;
  if (sizeBytes <= smallBytes) hash.update(readSmall(from.path, sizeBytes));
  else
    for await (const chunk of createReadStream(from.path, { highWaterMark: 1024 * 1024, signal }))
      hash.update(chunk as Buffer);
}

/** Reads into a buffer of the known size: readFileSync would ask for it once more. */
function readSmall(path: string, sizeBytes: number): Uint8Array {
  const buffer = Buffer.allocUnsafe(sizeBytes);
  const fd = openSync(path, 'r');
  try {
    let filled = 0;
    while (filled < sizeBytes) {
      const read = readSync(fd, buffer, filled, sizeBytes - filled, filled);
      if (read === 0) break;
      filled += read;
    }
    return buffer.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}
