import { statSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { isMountPoint } from '#sys/mount-info.ts';
import { bindMount, isFlagOption, makeReadOnly, mountTmpfs, unmountSurely } from '#sys/mounts.ts';

import { isBind, mountWords, type VolumeDefinition } from './volume-definition.ts';

/** Makes the data of a volume with mount options reachable at `target`; a volume without options needs nothing. */
export function mountVolume(volume: VolumeDefinition, target: string): void {
  if (Object.keys(volume.options).length === 0 || isMountPoint(target)) return;
  try {
    if (isBind(volume.options)) bindFolder(volume, target);
    else mountMemory(volume, target);
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw new StatusError(
      'InvalidArgument',
      `Cannot mount volume "${volume.name}": its options were refused; correct them`,
      {
        cause: error,
      },
    );
  }
}

/** Takes every mount away, so that removing the folder cannot reach into what was mounted; without one nothing happens. */
export function unmountAll(target: string): void {
  while (isMountPoint(target)) unmountSurely(target);
}

function bindFolder(volume: VolumeDefinition, target: string): void {
  const device = volume.options['device'] ?? '';
  if (statSync(device, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new StatusError(
      'InvalidArgument',
      `Cannot mount volume "${volume.name}": "${device}" is no folder of this machine; make it, or remove the volume`,
    );
  const words = mountWords(volume.options);
  bindMount(device, target, { recursive: words.includes('rbind') });
  if (words.includes('ro')) makeReadOnly(target, false);
}

function mountMemory(volume: VolumeDefinition, target: string): void {
  const words = mountWords(volume.options);
  mountTmpfs(target, words.filter((word) => !isFlagOption(word)).join(','), [
    'nosuid',
    'nodev',
    ...words.filter(isFlagOption),
  ]);
}
