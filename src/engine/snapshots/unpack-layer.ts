import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import type { Digest } from '#formats/oci.ts';
import { TarParser } from '#formats/tar/tar-parser.ts';

import type { LayerRecord, LayerStore } from './layer-store.ts';
import { LayerUnpacker } from './layer-unpacker.ts';
import { RecipeWriter } from './recipe.ts';

/** See `Snapshots.unpack`. */
export async function unpackLayer(
  store: LayerStore,
  parent: Digest | undefined,
  tar: AsyncIterable<Uint8Array>,
  diffId: Digest | undefined,
  signal: AbortSignal,
): Promise<LayerRecord> {
  using _ = store.hold(parent);
  const known = diffId === undefined ? undefined : store.get(chainIdOf(parent, diffId));
  if (known !== undefined) {
    await checkOnly(tar, known.diffId, signal);
    return known;
  }
  await using folder = await store.temporary();
  await using recipe = new RecipeWriter(join(folder.path, 'recipe.zst'));
  using unpacker = new LayerUnpacker(folder.path, store.viewOf(parent), recipe);
  const found = await feed(tar, unpacker, recipe, signal);
  checkDigest(found, diffId);
  unpacker.finish();
  await recipe.finish();
  return await store.add(folder.path, {
    chainId: chainIdOf(parent, found),
    diffId: found,
    parent,
    sizeBytes: unpacker.sizeBytes,
    source: 'archive',
    displaced: unpacker.displaced,
  });
}

/** OCI image specification, config.md, "Layer ChainID". */
export function chainIdOf(parent: Digest | undefined, diffId: Digest): Digest {
  if (parent === undefined) return diffId;
  return `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}`;
}

async function feed(
  tar: AsyncIterable<Uint8Array>,
  unpacker: LayerUnpacker,
  recipe: RecipeWriter,
  signal: AbortSignal,
): Promise<Digest> {
  const parser = new TarParser(unpacker);
  const hash = createHash('sha256');
  const pause = createPauses();
  for await (const bytes of tar) {
    signal.throwIfAborted();
    hash.update(bytes);
    parser.push(bytes);
    await recipe.drain();
    await pause();
  }
  signal.throwIfAborted();
  parser.end();
  return `sha256:${hash.digest('hex')}`;
}

async function checkOnly(tar: AsyncIterable<Uint8Array>, diffId: Digest, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  const pause = createPauses();
  for await (const bytes of tar) {
    signal.throwIfAborted();
    hash.update(bytes);
    await pause();
  }
  checkDigest(`sha256:${hash.digest('hex')}`, diffId);
}

function checkDigest(found: Digest, expected: Digest | undefined): void {
  if (expected === undefined || found === expected) return;
  throw new StatusError('Damaged', `Cannot unpack layer "${expected}": its digest is ${found}; get it again`);
}
