import { createReadStream, createWriteStream, unlinkSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';

import { compressedPath, type Generation } from './log-files.ts';

/** Opens a generation for reading, unpacked where it is compressed; undefined when it is gone. */
export async function openGeneration(generation: Generation): Promise<FileHandle | undefined> {
  // It may become compressed between two looks, never plain again.
  const plain = generation.compressed ? undefined : await openIfThere(generation.path);
  return plain ?? unpacked(compressedPath(generation));
}

/** Keeps a complete generation compressed from now on. Whoever reads it holds the plain file. */
export async function compressGeneration(generation: Generation, signal: AbortSignal): Promise<void> {
  const target = compressedPath(generation);
  const draft = `${target}.draft`;
  try {
    await pipeline(createReadStream(generation.path), createGzip(), createWriteStream(draft, { mode: 0o600 }), {
      signal,
    });
    await rename(draft, target);
    unlinkSync(generation.path);
  } catch (error) {
    removeDraft(draft);
    // It was removed meanwhile, with its log or since it was over the limit.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** In a file without a name, since tails are read from the end; it takes its place on the disk for as long as it is open. */
async function unpacked(path: string): Promise<FileHandle | undefined> {
  const source = await openIfThere(path);
  if (source === undefined) return undefined;
  const draft = `${path}.${newId().slice(0, 12)}.read`;
  const target = await open(draft, 'wx+', 0o600);
  unlinkSync(draft);
  try {
    await pipeline(source.createReadStream(), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await target.writeFile(chunk);
    });
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function removeDraft(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
