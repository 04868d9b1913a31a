import { StatusError } from '#base/errors.ts';
import type { TarEntry } from '#formats/tar-entry.ts';

/** For archives that are contexts: devices make no sense there, and would be made on this machine. */
export function plainFilesOnly(entry: TarEntry): TarEntry {
  if (entry.type !== 'character' && entry.type !== 'block') return entry;
  throw new StatusError(
    'InvalidArgument',
    `Cannot unpack "${entry.path}": the build context has a device; leave it out`,
  );
}
