import { constants, lstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { posix } from 'node:path';

import { openInRoot, openPath } from '#sys/rooted.ts';

import type { ContainerPath } from './container-files.ts';

/** What is at a path in a container; a last link is the thing itself unless the path ends with `/` or `/.`. */
export interface OpenEntry extends Disposable {
  /** For calls that do not follow a last link. */
  readonly at: string;
  readonly stat: BigIntStats;
}

/** Throws ENOENT, ENOTDIR or ELOOP when there is nothing. */
export function openEntry({ root, path }: ContainerPath): OpenEntry {
  const isContent = path === '/' || /\/\.?$/.test(path);
  const folderPath = isContent ? path : posix.dirname(path);
  const folder = openInRoot(root, folderPath, openPath | constants.O_DIRECTORY);
  try {
    const at = isContent ? `${folder.path}/.` : `${folder.path}/${posix.basename(path)}`;
    const stat = lstatSync(at, { bigint: true });
    return { at, stat, [Symbol.dispose]: () => folder[Symbol.dispose]() };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}
