import { constants, lchownSync, mkdirSync, unlinkSync } from 'node:fs';
import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { fsPath } from '#sys/file-path.ts';
import { changeMode, isMissing } from '#sys/files.ts';
import { openInRoot, openPath, type RootedFile } from '#sys/rooted.ts';
import type { Owner } from './owner.ts';
import { isFolderIn } from './resolve-in-root.ts';

/** Makes a folder and those above it, with an owner; what is there stays as it is. */
export function makeFolders(root: string, path: string, owner: Owner, mode = 0o755): void {
  let soFar = '';
  for (const name of posix.normalize(path).split('/')) {
    if (name === '') continue;
    using parent = openInRoot(root, soFar, openPath | constants.O_DIRECTORY);
    soFar += `/${name}`;
    try {
      mkdirSync(fsPath(`${parent.path}/${name}`), { mode });
      lchownSync(fsPath(`${parent.path}/${name}`), owner.uid, owner.gid);
      changeMode(`${parent.path}/${name}`, mode);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      if (!isFolderIn(root, soFar)) throw notAFolder(soFar);
    }
  }
}

/** The folder that a path is in, links on the way followed inside the root. */
export function openParent(root: string, path: string): RootedFile {
  return openInRoot(root, posix.dirname(path), openPath | constants.O_DIRECTORY);
}

/** Takes away what is in a file's place. */
export function clear(target: string, path: string): void {
  try {
    unlinkSync(fsPath(target));
  } catch (error) {
    if (isMissing(error)) return;
    if (!hasCode(error, 'EISDIR', 'EPERM')) throw error;
    throw new StatusError('InvalidArgument', `cannot replace to directory ${path} with file`, { cause: error });
  }
}

export function notAFolder(path: string): StatusError {
  return new StatusError('InvalidArgument', `cannot copy to non-directory: ${path}`);
}

/** A name that layers give another meaning: nobody could unpack the file again (OCI image specification, layer.md). */
export function refuseWhiteout(name: string): void {
  if (name.startsWith('.wh.'))
    throw new StatusError(
      'InvalidArgument',
      `Cannot put "${name}" into an image: names that begin with .wh. mean deleted files`,
    );
}
