import { constants, fstatSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { changeMode } from '#sys/files.ts';
import { existsInRoot, makeFoldersInRoot, openBeneath, openInRoot, openPath, type RootedFile } from '#sys/rooted.ts';

/**
 * Opens a folder or file inside a volume, and makes the folder when there is nothing, with the mode of the volume's own. No
 * link leads out of the volume, whoever changes it meanwhile; throws Forbidden when one would.
 */
export function openSubPath(volume: string, subPath: string): RootedFile {
  if (!existsInRoot(volume, subPath)) makeSubFolders(volume, subPath);
  try {
    return openBeneath(volume, subPath);
  } catch (error) {
    if (!hasCode(error, 'EXDEV', 'ELOOP')) throw error;
    throw new StatusError('Forbidden', `subpath "${subPath}" not within volume path "${volume}"`, { cause: error });
  }
}

function makeSubFolders(volume: string, subPath: string): void {
  const mode = statSync(volume).mode & 0o7777;
  let soFar = '';
  for (const name of subPath.split('/').filter((part) => part !== '' && part !== '.')) {
    soFar += `/${name}`;
    if (existsInRoot(volume, soFar)) continue;
    makeFoldersInRoot(volume, soFar);
    // mkdir(2) takes away what the umask says.
    using parent = openInRoot(volume, dirname(soFar), openPath | constants.O_DIRECTORY);
    changeMode(`${parent.path}/${name}`, mode);
  }
}

/** Makes what an opened folder or file can be bound on: an empty folder or file. */
export function makeBindTarget(target: string, source: RootedFile): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o750 });
  if (fstatSync(source.fd).isDirectory()) mkdirSync(target, { recursive: true });
  else writeFileSync(target, '', { flag: 'a' });
}
