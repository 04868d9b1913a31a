import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import type { Digest } from '#formats/oci.ts';

import type { LayerRecord, LayerStore } from './layer-store.ts';
import { unpackArchive } from './unpack-archive.ts';
import { unpackInThread } from './unpack-in-thread.ts';

/** Archives that are not longer are unpacked at once: starting a thread would take longer. */
const smallBytes = 2_097_152;

/** See `Snapshots.unpack`. */
export async function unpackLayer(
  store: LayerStore,
  parent: Digest | undefined,
  tar: AsyncIterable<Uint8Array>,
  diffId: Digest | undefined,
  signal: AbortSignal,
): Promise<LayerRecord> {
  using _ = store.hold(parent);
  const hash = createHash('sha256');
  const source = hashed(tar, hash, signal);
  const known = diffId === undefined ? undefined : store.get(chainIdOf(parent, diffId));
  if (known !== undefined) {
    for await (const _ of source);
    checkDigest(hash, diffId);
    return known;
  }
  await using folder = await store.temporary();
  const lowers = store.lowersOf(parent).map((lower) => join(store.folder, lower));
  const head = await takeHead(source);
  const unpacked = head.isAll
    ? await unpackArchive(folder.path, lowers, head.tar)
    : await unpackInThread({ folder: folder.path, lowers }, head.tar);
  const found = checkDigest(hash, diffId);
  return await store.add(folder.path, {
    ...unpacked,
    chainId: chainIdOf(parent, found),
    diffId: found,
    parent,
    source: 'archive',
  });
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

/** Reads on until the end or until the archive is not small any more; `tar` is all of it again. */
async function takeHead(
  source: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<{ readonly isAll: boolean; readonly tar: AsyncIterable<Uint8Array> }> {
  const chunks: Uint8Array[] = [];
  for (let sumBytes = 0; sumBytes <= smallBytes;) {
    const next = await source.next();
    if (next.done === true) return { isAll: true, tar: joined(chunks, source) };
    // Kept for longer than until the next piece: the source may use its memory again.
    chunks.push(Uint8Array.from(next.value));
    sumBytes += next.value.length;
  }
  return { isAll: false, tar: joined(chunks, source) };
}

async function* joined(
  head: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* head;
    yield* rest;
  } finally {
    await rest.return();
  }
}

function checkDigest(hash: Hash, expected: Digest | undefined): Digest {
  const found: Digest = `sha256:${hash.digest('hex')}`;
  if (expected === undefined || found === expected) return found;
  throw new StatusError('Damaged', `Cannot unpack layer "${expected}": its digest is ${found}; get it again`);
}
