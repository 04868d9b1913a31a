import { constants } from 'node:fs';
import { posix } from 'node:path';

import { hasCode } from '#sys/errno.ts';
import { isMissing } from '#sys/files.ts';
import { openInRoot, openPath } from '#sys/rooted.ts';
import { readLink } from '#sys/tree/tree-entry.ts';

export interface ResolvedPath {
  /** On this machine, without links. */
  readonly path: string;
  /** The same relative to the root; '' for the root. */
  readonly inRoot: string;
}

/** Where a path leads when links are followed inside the root; undefined when there is nothing. */
export function resolveInRoot(root: string, path: string): ResolvedPath | undefined {
  try {
    using top = openInRoot(root, '');
    using file = openInRoot(root, path.replace(/^\/+/, ''));
    const real = readLink(file.path);
    return { path: real, inRoot: posix.relative(readLink(top.path), real) };
  } catch (error) {
    if (isMissing(error) || hasCode(error, 'ELOOP')) return undefined;
    throw error;
  }
}

/** Whether a path leads to a folder, links followed inside the root. */
export function isFolderIn(root: string, path: string): boolean {
  try {
    using _ = openInRoot(root, path, openPath | constants.O_DIRECTORY);
    return true;
  } catch (error) {
    if (isMissing(error) || hasCode(error, 'ELOOP')) return false;
    throw error;
  }
}
