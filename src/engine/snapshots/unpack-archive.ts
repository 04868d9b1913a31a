import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { createPauses } from '#base/pauses.ts';
import type { Digest } from '#formats/oci.ts';
import { TarParser } from '#formats/tar/tar-parser.ts';

import { type Displaced, LayerUnpacker } from './layer-unpacker.ts';
import { LowerView } from './lower-view.ts';
import { RecipeWriter } from './recipe.ts';

/** Where an archive is unpacked. */
export interface UnpackPlace {
  /** Empty; it gets `fs`, and the recipe with its `extra`. */
  readonly folder: string;
  /** Absolute, top first. */
  readonly lowers: readonly string[];
}

export interface UnpackedArchive {
  readonly diffId: Digest;
  /** Bytes of all regular files. */
  readonly sizeBytes: number;
  readonly displaced: readonly Displaced[];
}

/** Unpacks a layer's archive; a chunk of it is done with when the next is asked for. */
export async function unpackArchive(
  { folder, lowers }: UnpackPlace,
  tar: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<UnpackedArchive> {
  const pause = createPauses();
  const hash = createHash('sha256');
  await using recipe = new RecipeWriter(join(folder, 'recipe.zst'));
  using unpacker = new LayerUnpacker(folder, new LowerView(lowers), recipe);
  const parser = new TarParser(unpacker);
  for await (const bytes of tar) {
    signal.throwIfAborted();
    hash.update(bytes);
    parser.push(bytes);
    await recipe.drain();
    await pause();
  }
  signal.throwIfAborted();
  parser.end();
  unpacker.finish();
  await recipe.finish();
  return {
    diffId: `sha256:${hash.digest('hex')}`,
    sizeBytes: unpacker.sizeBytes,
    displaced: unpacker.displaced,
  };
}
