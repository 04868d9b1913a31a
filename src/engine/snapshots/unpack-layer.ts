import { createHash, type Hash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import type { Digest } from '#formats/oci.ts';

import type { LayerRecord } from './layer-store.ts';
import { Pieces } from './pieces.ts';
import { unpackArchive } from './unpack-archive.ts';
import type { UnpackThreads } from './unpack-threads.ts';

/** Archives that are not longer (2 MiB) are unpacked at once: starting a thread would take longer. */
const smallPieces = 8;

/** A layer that is to be unpacked. */
export interface UnpackTask {
  /** Empty; it gets `fs`, and the recipe with its `extra`. */
  readonly folder: string;
  /** Absolute, top first. */
  readonly lowers: readonly string[];
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
  const hash = createHash('sha256');
  const pieces = new Pieces(hashed(tar, hash, signal));
  const isSmall = await pieces.endWithin(smallPieces);
  const unpacked = isSmall
    ? await unpackArchive(folder, lowers, pieces)
    : await threads.unpack({ folder, lowers }, pieces);
  const found = checkDigest(hash, diffId);
  return { ...unpacked, chainId: chainIdOf(parent, found), diffId: found, parent, source: 'archive' };
}

/** Reads a layer that is there already, to its end. Throws Damaged when it is another. */
export async function checkLayer(tar: AsyncIterable<Uint8Array>, diffId: Digest, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  for await (const _ of hashed(tar, hash, signal));
  checkDigest(hash, diffId);
}

/** OCI image specification, config.md, "Layer ChainID". */
export function chainIdOf(parent: Digest | undefined, diffId: Digest): Digest {
  if (parent === undefined) return diffId;
  return `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}`;
}

async function* hashed(
  tar: AsyncIterable<Uint8Array>,
  hash: Hash,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pause = createPauses();
  for await (const bytes of tar) {
    signal.throwIfAborted();
    hash.update(bytes);
    yield bytes;
    await pause();
  }
  signal.throwIfAborted();
}

function checkDigest(hash: Hash, expected: Digest | undefined): Digest {
  const found: Digest = `sha256:${hash.digest('hex')}`;
  if (expected === undefined || found === expected) return found;
  throw new StatusError('Damaged', `Cannot unpack layer "${expected}": its digest is ${found}; get it again`);
}
