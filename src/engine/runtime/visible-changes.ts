import { posix } from 'node:path';

import type { Change } from '../snapshots/snapshots.ts';

/** What every start puts below a container's mounts when its image has not got it; nobody's change. */
const ownPaths: ReadonlySet<string> = new Set([
  '/dev',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/proc',
  '/sys',
]);

/** The changes without the places that the runtime made to mount on, and without folders that only hold those. */
export function visibleChanges(changes: readonly Change[]): readonly Change[] {
  const hidden = changes.filter(({ path, kind }) => kind === 'added' && ownPaths.has(path));
  const kept = changes.filter((change) => !hidden.includes(change));
  const parents = new Set(hidden.map(({ path }) => posix.dirname(path)));
  const isBusy = (folder: string): boolean => kept.some(({ path }) => path !== folder && path.startsWith(`${folder}/`));
  return kept.filter(({ path, kind }) => !(kind === 'modified' && parents.has(path) && !isBusy(path)));
}
