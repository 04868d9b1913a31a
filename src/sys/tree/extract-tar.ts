import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { readTar } from '#formats/tar/read-tar.ts';

import { hasCode } from '../errno.ts';
import { TreeWriter, type TreeWriterOptions } from './tree-writer.ts';

export interface Extraction extends TreeWriterOptions {
  /** Absolute; nothing outside it is touched, whoever changes it meanwhile. */
  readonly root: string;
  /** Folder inside the root to put the archive's paths under, made when missing; '' or '/': the root itself. */
  readonly path: string;
  readonly tar: AsyncIterable<Uint8Array>;
  /** Blocks of zeros become holes, as they were in a file that `packTree` packed with its holes. */
  readonly keepsHoles?: boolean;
  /** Rewrites an entry, or leaves it out. */
  readonly transform?: (entry: TarEntry) => TarEntry | undefined;
}

/**
 * Unpacks an uncompressed tar with owners, modes, extended attributes, times, hard links and devices. Throws Damaged for
 * a broken archive, InvalidArgument for one that leads outside or that the filesystem cannot hold, Unavailable when the
 * disk is full; what was unpacked until then stays.
 */
export async function extractTar(extraction: Extraction, signal: AbortSignal): Promise<void> {
  const pause = createPauses();
  using writer = new TreeWriter(extraction.root, extraction.path.split('/').filter(Boolean).join('/'), extraction);
  for await (const { entry: original, body } of readTar(extraction.tar)) {
    signal.throwIfAborted();
    await pause();
    const entry = extraction.transform === undefined ? original : extraction.transform(original);
    if (entry === undefined) continue;
    try {
      await writeEntry(writer, entry, body, extraction.keepsHoles === true);
    } catch (error) {
      throw unpackError(entry.path, error);
    }
  }
  writer.finish();
}

/** What a failed system call means for the one who gave the archive. */
export function unpackError(path: string, error: unknown): unknown {
  if (error instanceof StatusError || !hasErrno(error)) return error;
  const [reason, wayOut] = hasCode(error, 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EIO')
    ? (['Unavailable', 'free some space and try again'] as const)
    : (['InvalidArgument', 'correct the archive'] as const);
  return new StatusError(reason, `Cannot unpack "${path}": ${error.code}; ${wayOut}`, { cause: error });
}

function hasErrno(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && 'errno' in error && typeof error.code === 'string';
}

async function writeEntry(
  writer: TreeWriter,
  entry: TarEntry,
  body: AsyncIterable<Uint8Array>,
  keepsHoles: boolean,
): Promise<void> {
  using file = await writer.add(entry);
  if (file === undefined) return;
  let offset = 0;
  for await (const bytes of body) {
    // The writer gives the file its size at the end.
    if (!keepsHoles || !isZero(bytes)) file.write(bytes, offset);
    offset += bytes.length;
  }
  file.finish();
}

/** Whether there is nothing but zeros: the first is, and each equals the next. */
function isZero(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.length > 0 && buffer[0] === 0 && buffer.compare(buffer, 1, buffer.length, 0, buffer.length - 1) === 0;
}
