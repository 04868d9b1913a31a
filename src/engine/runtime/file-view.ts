import { constants, mkdirSync, readdirSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { deadline } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';
import { bindMount, makeReadOnly, setPropagation, unmount, unmountTree } from '#sys/mounts.ts';
import { makeFoldersInRoot, openInRoot } from '#sys/rooted.ts';

import type { ContainerRecord } from './record.ts';
import { openMounts } from './resolve-mounts.ts';
import type { Room } from './room.ts';

/** A volume on another machine is there within this, or not at all. */
const volumesOpenWithinMs = 180_000;

/** The files of a container as its processes would see them; disposing takes the mounts back. */
export interface FileView extends Disposable {
  readonly path: string;
}

/**
 * Puts the volumes and binds of a container that does not run over its mounted root, at a place of their own: what is
 * read and written there goes where it would go for the container. The caller holds the container's lock. Memory (tmpfs)
 * is not there.
 */
export async function openFileView(
  room: Room,
  record: ContainerRecord,
  root: string,
  signal: AbortSignal,
): Promise<FileView> {
  const folder = join(room.paths.views, newId());
  const subpaths = `${folder}-subpaths`;
  using undo = new DisposableStack();
  undo.defer(() => removeView(folder, subpaths));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  bindMount(root, folder);
  // Or what is mounted below would be mounted in the root itself, too.
  setPropagation(folder, 'private', true);
  const limit = AbortSignal.any([signal, deadline(volumesOpenWithinMs)]);
  const bundle = { ...room.paths.bundle(record.id), subpaths };
  for (const mount of await openMounts(room, record, { bundle, root: folder, owners: undefined }, limit)) {
    if (mount.type !== 'bind') continue;
    makeMountPoint(folder, mount.target, statSync(mount.source).isDirectory());
    using target = openInRoot(folder, mount.target);
    bindMount(mount.source, target.path, { recursive: true });
    using mounted = openInRoot(folder, mount.target);
    setPropagation(mounted.path, 'private', true);
    if (mount.readOnly) makeReadOnly(mounted.path, true);
  }
  if (record.spec.readOnlyRoot) makeReadOnly(folder, false);
  const owned = undo.move();
  return { path: folder, [Symbol.dispose]: () => owned.dispose() };
}

/** Takes back what a crash left of views. */
export function removeViews(views: string): void {
  unmountTree(views);
  for (const name of namesIn(views))
    if (!name.endsWith('-subpaths')) removeView(join(views, name), join(views, `${name}-subpaths`));
}

/** Never recursive: should something still be mounted, it is the user's. */
function removeView(folder: string, subpaths: string): void {
  unmount(folder, { lazy: true });
  unmountTree(subpaths);
  for (const name of namesIn(subpaths)) {
    const path = join(subpaths, name);
    if (statSync(path).isDirectory()) rmdirSync(path);
    else unlinkSync(path);
  }
  for (const path of [subpaths, folder]) {
    try {
      rmdirSync(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}

function makeMountPoint(root: string, target: string, isFolder: boolean): void {
  makeFoldersInRoot(root, isFolder ? target : dirname(target));
  if (!isFolder) openInRoot(root, target, constants.O_CREAT | constants.O_WRONLY, 0o755)[Symbol.dispose]();
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
