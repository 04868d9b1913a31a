import { createReadStream } from 'node:fs';
import { posix } from 'node:path';

import type { TarEntry } from '#formats/tar-entry.ts';
import { fsPath } from '#sys/file-path.ts';
import { extractTar } from '#sys/tree/extract-tar.ts';
import { decompress } from '../../stream/decompress.ts';
import { adapted, type CopyOptions } from './copy-files.ts';
import { makeFolders, refuseWhiteout } from './place.ts';
import type { SourceItem } from './source-item.ts';

/**
 * Unpacks an archive into the destination folder; does nothing for other items. Links on the way are followed inside
 * the root only. Throws InvalidArgument for an archive that leads outside, Damaged for broken bytes.
 */
export async function extractArchive(item: SourceItem, options: CopyOptions, signal: AbortSignal): Promise<void> {
  const from = item.entries[0]?.from;
  if (item.isArchive !== true || from === undefined || !('path' in from)) return;
  const { root, destination } = options;
  makeFolders(root, destination, options.folderOwner, options.mode?.fixed);
  const transform = (entry: TarEntry): TarEntry => {
    refuseWhiteout(posix.basename(entry.path));
    return adapted(entry, options);
  };
  const tar = decompress(createReadStream(fsPath(from.path), { highWaterMark: 256 * 1024 }));
  await extractTar({ root, path: destination, tar, transform, keepsFolders: true }, signal);
}
