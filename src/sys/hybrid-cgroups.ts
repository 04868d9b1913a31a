import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

import { hasCode } from './errno.ts';
import { mountFilesystem } from './mounts.ts';

/**
 * Gives each controller that a hybrid machine left in its v2 tree a v1 hierarchy of its own, beside those that the
 * machine mounted at its start: crun works with controllers in one kind of tree only. Returns those that stay where they
 * are, since they are in use or the folder cannot be written; none on machines that are not hybrid.
 */
export function separateControllers(root = '/sys/fs/cgroup'): readonly string[] {
  if (existsSync(join(root, 'cgroup.controllers'))) return [];
  for (const name of leftControllers(root)) mountController(root, name);
  return leftControllers(root);
}

function leftControllers(root: string): readonly string[] {
  try {
    return readFileSync(join(root, 'unified', 'cgroup.controllers'), 'utf8')
      .split(/\s+/)
      .filter((name) => name !== '');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function mountController(root: string, name: string): void {
  const folder = join(root, name);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) return;
  }
  try {
    mountFilesystem('cgroup', 'cgroup', folder, ['nosuid', 'nodev', 'noexec', name]);
  } catch (error) {
    rmdirSync(folder);
    if (!hasCode(error, 'EBUSY', 'EPERM', 'EROFS', 'EINVAL')) throw error;
  }
}
