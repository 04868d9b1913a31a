import { join } from 'node:path';

import { createPauses } from '#base/pauses.ts';
import { TarParser } from '#formats/tar/tar-parser.ts';

import { type Displaced, LayerUnpacker } from './layer-unpacker.ts';
import { LowerView } from './lower-view.ts';
import { RecipeWriter } from './recipe.ts';

export interface UnpackedArchive {
  /** Bytes of all regular files. */
  readonly sizeBytes: number;
  readonly displaced: readonly Displaced[];
}

/** Unpacks a layer's archive into `fs`, `extra` and `recipe.zst` of an empty folder; `lowers` are absolute, top first. */
export async function unpackArchive(
  folder: string,
  lowers: readonly string[],
  tar: AsyncIterable<Uint8Array>,
): Promise<UnpackedArchive> {
  const pause = createPauses();
  await using recipe = new RecipeWriter(join(folder, 'recipe.zst'));
  using unpacker = new LayerUnpacker(folder, new LowerView(lowers), recipe);
  const parser = new TarParser(unpacker);
  for await (const bytes of tar) {
    parser.push(bytes);
    await recipe.drain();
    await pause();
  }
  parser.end();
  unpacker.finish();
  await recipe.finish();
  return { sizeBytes: unpacker.sizeBytes, displaced: unpacker.displaced };
}
