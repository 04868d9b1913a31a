import { constants, lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { posix } from 'node:path';

import { hasCode } from '#sys/errno.ts';
import { isMissing } from '#sys/files.ts';
import { existsInRoot, openInRoot, openPath } from '#sys/rooted.ts';

/** What the runtime mounts over and may have to make first, beside the mounts that RUN asks for. */
const always = ['/dev', '/proc', '/sys', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname'];

/** Remembers which mount points are not there yet, so that what is made for them does not stay in the layer. */
export class MountStubs {
  readonly #root: string;
  readonly #missing: readonly string[];

  constructor(root: string, targets: readonly string[]) {
    this.#root = root;
    const missing = new Set<string>();
    for (const target of [...always, ...targets])
      for (let path = posix.normalize(target); path !== '/'; path = posix.dirname(path))
        if (!existsInRoot(root, path)) missing.add(path);
    this.#missing = [...missing].sort((one, other) => other.length - one.length);
  }

  /** Removes those that are there now and still empty, the deepest first. */
  remove(): void {
    for (const path of this.#missing) {
      try {
        using parent = openInRoot(this.#root, posix.dirname(path), openPath | constants.O_DIRECTORY);
        removeEmpty(`${parent.path}/${posix.basename(path)}`);
      } catch (error) {
        if (!isMissing(error) && !hasCode(error, 'ELOOP')) throw error;
      }
    }
  }
}

function removeEmpty(path: string): void {
  const stats = lstatSync(path);
  if (stats.isFile() && stats.size === 0) unlinkSync(path);
  else if (stats.isDirectory()) {
    try {
      rmdirSync(path);
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY')) throw error;
    }
  }
}
