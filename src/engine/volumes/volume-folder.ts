import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { syncFolder, writeJsonDurably } from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { makeImage } from './size-image.ts';
import { sizeLimitOf, type VolumeDefinition } from './volume-definition.ts';
import { unmountAll } from './volume-mount.ts';

/** Where the parts of a volume are. */
export function volumePaths(folder: string): {
  readonly definition: string;
  readonly data: string;
  /** There while the image's files are copied: a copy that was cut off is done again. */
  readonly copying: string;
  /** There while a new volume is filled by a restore: it exists for nobody before that is done. */
  readonly filling: string;
} {
  return {
    definition: join(folder, 'volume.json'),
    data: join(folder, '_data'),
    copying: join(folder, 'copying'),
    filling: join(folder, 'filling'),
  };
}

/**
 * Makes a volume, durably; the definition comes last, since the volume exists with it. One that `isFilling` goes when the
 * daemon dies before that mark is taken away.
 */
export async function makeVolume(folder: string, definition: VolumeDefinition, isFilling: boolean): Promise<void> {
  const paths = volumePaths(folder);
  try {
    await mkdir(folder, { mode: 0o711 });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new StatusError(
      'Damaged',
      `Cannot create volume: its folder "${folder}" exists without a readable definition; move it away`,
    );
  }
  try {
    await mkdir(paths.data, { mode: 0o755 });
    const sizeBytes = sizeLimitOf(definition);
    if (sizeBytes !== undefined) await makeImage(folder, sizeBytes);
    if (isFilling) await writeJsonDurably(paths.filling, {});
    await writeJsonDurably(paths.definition, definition);
    await syncFolder(join(folder, '..'));
  } catch (error) {
    await removeTree(folder);
    throw error;
  }
}

/** Removes the rest of a volume that was never acknowledged, or whose removal was. */
export async function clearVolume(folder: string): Promise<void> {
  unmountAll(volumePaths(folder).data);
  await removeTree(folder);
}
