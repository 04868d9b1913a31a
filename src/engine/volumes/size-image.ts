import { rmdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { fitExt4, makeExt4 } from '#sys/ext4-image.ts';
import { attachLoop, growLoop, hasLoop } from '#sys/loop-device.ts';
import { mountsBelow } from '#sys/mount-info.ts';
import { mountFilesystem } from '#sys/mounts.ts';

/** The file in a volume's folder that holds its data, when it has a size: as a filesystem it cannot outgrow. */
function imagePath(folder: string): string {
  return join(folder, 'image.ext4');
}

/** Makes the filesystem of a volume; the file takes place on the disk only as it is filled. */
export async function makeImage(folder: string, sizeBytes: number): Promise<void> {
  await setSize(imagePath(folder), sizeBytes);
  await makeExt4(imagePath(folder));
}

/** Mounts it at `_data`. Blocks that are freed in it are given back to the disk. */
export function mountImage(folder: string): void {
  const target = join(folder, '_data');
  using device = attachLoop(imagePath(folder));
  mountFilesystem('ext4', device.path, target, ['discard']);
  try {
    // Databases and copy-up want an empty folder; fsck makes it again when it needs it.
    rmdirSync(join(target, 'lost+found'));
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'ENOTDIR')) throw error;
  }
}

/**
 * Gives it more room: while it is mounted and used, or else with the programs for that. Throws InvalidArgument when it
 * would shrink, Forbidden when this process may not enlarge a filesystem that is in use.
 */
export async function growImage(name: string, folder: string, sizeBytes: number): Promise<void> {
  const path = imagePath(folder);
  const now = statSync(path);
  if (sizeBytes < now.size)
    throw new StatusError(
      'InvalidArgument',
      `Cannot resize volume "${name}" to ${String(sizeBytes)} bytes: it has ${String(now.size)} and only grows; make a smaller one and copy`,
    );
  const target = join(folder, '_data');
  const mount = mountsBelow(target).at(-1);
  if (mount === undefined && hasLoop(path)) throw busy(name, 'a process that is ending still uses it; try again');
  await setSize(path, sizeBytes);
  if (mount === undefined) {
    await fitExt4(path);
    return;
  }
  try {
    growLoop(mount.source, target, sizeBytes, statSync(target).blksize);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    throw busy(name, 'it is in use, and growing it then needs CAP_SYS_RESOURCE; stop the containers that use it');
  }
}

function busy(name: string, state: string): StatusError {
  return new StatusError('Forbidden', `Cannot resize volume "${name}": ${state}`);
}

/** Bytes that it takes on the disk now. */
export function imageBytes(folder: string): number {
  return statSync(imagePath(folder)).blocks * 512;
}

async function setSize(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.truncate(sizeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
