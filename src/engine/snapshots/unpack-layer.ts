import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';

import { StatusError } from '#base/errors.ts';
import type { Digest } from '#formats/oci.ts';

import { ArchiveFile } from '../stream/archive-file.ts';
import type { LayerRecord } from './layer-store.ts';
import { unpackArchive, type UnpackPlace } from './unpack-archive.ts';
import type { UnpackThreads } from './unpack-threads.ts';

/** Files that are not longer are unpacked here: starting a thread would take longer. */
const smallBytes = 524_288;

/** A layer that is to be unpacked. */
export interface UnpackTask extends UnpackPlace {
  readonly parent: Digest | undefined;
  readonly tar: AsyncIterable<Uint8Array>;
  readonly diffId: Digest | undefined;
}

/** Unpacks a layer into a folder, and says what `layer.json` is to say; see `Snapshots.unpack`. */
export async function unpackLayer(
  threads: UnpackThreads,
  { folder, lowers, parent, tar, diffId }: UnpackTask,
  signal: AbortSignal,
): Promise<LayerRecord> {
  const isLong = tar instanceof ArchiveFile && (await stat(tar.path)).size > smallBytes;
  const unpacked = isLong
    ? await threads.unpack({ folder, lowers }, tar, signal)
    : await unpackArchive({ folder, lowers }, tar, signal);
  checkDigest(unpacked.diffId, diffId);
  return { ...unpacked, chainId: chainIdOf(parent, unpacked.diffId), parent, source: 'archive' };
}

/** Reads a layer that is there already, to its end. Throws Damaged when it is another. */
export async function checkLayer(tar: AsyncIterable<Uint8Array>, diffId: Digest, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  for await (const bytes of tar) {
    signal.throwIfAborted();
    hash.update(bytes);
  }
  checkDigest(`sha256:${hash.digest('hex')}`, diffId);
}

/** OCI image specification, config.md, "Layer ChainID". */
export function chainIdOf(parent: Digest | undefined, diffId: Digest): Digest {
  if (parent === undefined) return diffId;
  return `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}`;
}

function checkDigest(found: Digest, expected: Digest | undefined): void {
  if (expected === undefined || found === expected) return;
  throw new StatusError('Damaged', `Cannot unpack layer "${expected}": its digest is ${found}; get it again`);
}
