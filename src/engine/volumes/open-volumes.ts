import { readdir } from 'node:fs/promises';

import { makeFolderDurably } from '#sys/durable-file.ts';

import { LocalVolumes, type VolumesOptions } from './local-volumes.ts';
import type { Volumes } from './volumes.ts';

/** Opens the volumes of a data folder; half-made and half-removed ones of an earlier life are cleared away. */
export async function openVolumes(options: VolumesOptions): Promise<Volumes & AsyncDisposable> {
  await makeFolderDurably(options.dataDir);
  const volumes = new LocalVolumes(options);
  for (const name of await readdir(options.dataDir)) await volumes.load(name);
  return volumes;
}
