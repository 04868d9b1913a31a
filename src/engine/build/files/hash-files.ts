import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';

import { createPauses } from '#base/pauses.ts';
import { fsPath } from '#sys/file-path.ts';
import type { SourceEntry, SourceItem } from './source-item.ts';

const chunkBytes = 256 * 1024;

/**
 * A digest over what copying the items makes: names, types, modes, links, devices, extended attributes, bytes, and
 * owners unless they will be overridden. Times are no part of it, as in BuildKit.
 */
export async function hashFiles(
  items: readonly SourceItem[],
  options: { readonly owners: boolean },
  signal: AbortSignal,
): Promise<string> {
  const pause = createPauses();
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (const { name, isFolder, isArchive = false, entries } of items) {
    // Of a folder only the content is copied: its name decides nothing.
    hash.update(`${JSON.stringify([isFolder ? '' : name, isFolder, isArchive, entries.length])}\n`);
    for (const source of entries) {
      const { path, type, mode, uid, gid, sizeBytes, linkTarget, deviceMajor, deviceMinor, xattrs } = source.entry;
      const owner = options.owners ? [uid, gid] : [];
      const attributes = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString('hex')]);
      const line = [path, type, mode, owner, sizeBytes, linkTarget, deviceMajor, deviceMinor, attributes];
      hash.update(`${JSON.stringify(line)}\n`);
      for (const _ of type === 'file' ? hashBytes(hash, source, buffer) : []) {
        signal.throwIfAborted();
        await pause();
      }
    }
  }
  return hash.digest('hex');
}

/** Yields after each piece, so that the caller can give way. */
function* hashBytes(hash: Hash, { from }: SourceEntry, buffer: Buffer): Generator<void, void, undefined> {
  if ('text' in from) {
    hash.update(from.text);
    return;
  }
  const fd = openSync(fsPath(from.path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let read = -1; read !== 0;) {
      read = readSync(fd, buffer, 0, buffer.length, null);
      hash.update(buffer.subarray(0, read));
      yield;
    }
  } finally {
    closeSync(fd);
  }
}
