import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import { isMissing } from '#sys/files.ts';
import { readFileBody } from '#sys/tree/read-file-body.ts';

import type { LayerRecord, LayerStore } from './layer-store.ts';
import { packFiles } from './pack-files.ts';
import { readRecipe } from './recipe.ts';

/**
 * The layer's archive, byte for byte what its diffID names. Throws Damaged, after the last byte at the latest, when
 * somebody changed the layer's files.
 */
export async function* packLayer(
  store: LayerStore,
  record: LayerRecord,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  using _ = store.hold(record.chainId);
  const hash = createHash('sha256');
  const pause = createPauses();
  try {
    for await (const bytes of source(store, record, signal)) {
      signal.throwIfAborted();
      hash.update(bytes);
      yield bytes;
      await pause();
    }
  } catch (error) {
    throw isMissing(error) ? damaged(record, error) : error;
  }
  if (`sha256:${hash.digest('hex')}` !== record.diffId) throw damaged(record);
}

function source(store: LayerStore, record: LayerRecord, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const folder = store.folderOf(record.chainId);
  if (record.source === 'archive') return byRecipe(folder, record);
  const rootBelow = record.parent === undefined ? undefined : join(store.folderOf(record.parent), 'fs');
  return packFiles(join(folder, 'fs'), rootBelow, () => {}, signal);
}

async function* byRecipe(folder: string, record: LayerRecord): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const step of readRecipe(join(folder, 'recipe.zst'))) {
    if ('raw' in step) yield step.raw;
    else yield* readFileBody(`${folder}/${whereNow(record, step.path, step.index)}`, step.sizeBytes, step.offset);
  }
}

/** A body lies where it was written, unless a later entry of the archive took its place or that of a folder above it. */
function whereNow(record: LayerRecord, path: string, index: number): string {
  const moved = record.displaced.find(
    (one) => one.before > index && (path === one.path || path.startsWith(`${one.path}/`)),
  );
  return moved === undefined ? `fs/${path}` : `extra/${String(moved.to)}${path.slice(moved.path.length)}`;
}

function damaged(record: LayerRecord, cause?: unknown): StatusError {
  return new StatusError(
    'Damaged',
    `Cannot pack layer "${record.diffId}": its files were changed; remove its images and pull them again`,
    { cause },
  );
}
