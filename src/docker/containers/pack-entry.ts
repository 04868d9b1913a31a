import { posix } from 'node:path';

import { ownerInside } from '#formats/id-map.ts';
import { bodyPadding, encodeHeader, endOfTar } from '#formats/tar/encode-header.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { packTree } from '#sys/tree/pack-tree.ts';
import { readFileBody } from '#sys/tree/read-file-body.ts';
import { entryOfNode, isPortableXattr, LinkFinder } from '#sys/tree/tree-entry.ts';

import type { ContainerPath } from './container-files.ts';
import { openEntry } from './open-entry.ts';

/** A tar of the file or folder at a place, whose members are called `name`, `name/...`. */
export async function* packEntry(
  place: ContainerPath,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  using opened = openEntry(place);
  const { at, stat } = opened;
  const { ids } = place;
  const inside = (entry: TarEntry): TarEntry => (ids === undefined ? entry : { ...entry, ...ownerInside(ids, entry) });
  if (stat.isDirectory()) {
    const renamed = (path: string): string => (path === '' ? name : posix.join(name, path));
    yield* packTree({ start: at, transform: (entry) => [inside(renamedEntry(entry, renamed))] }, signal);
    return;
  }
  const entry = entryOfNode({ path: name, at, stat }, new LinkFinder(), isPortableXattr);
  if (entry !== undefined) {
    yield encodeHeader(inside(entry));
    if (entry.sizeBytes > 0) yield* readFileBody(at, entry.sizeBytes);
    yield bodyPadding(entry.sizeBytes);
  }
  yield endOfTar();
}

function renamedEntry(entry: TarEntry, renamed: (path: string) => string): TarEntry {
  const path = renamed(entry.path);
  return entry.type === 'hardlink' ? { ...entry, path, linkTarget: renamed(entry.linkTarget) } : { ...entry, path };
}
