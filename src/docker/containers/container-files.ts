import { readlinkSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import type { Container, MountPoint } from '#engine/runtime/container.ts';
import type { IdMap } from '#formats/id-map.ts';
import { hasCode } from '#sys/errno.ts';
import type { RootedFile } from '#sys/rooted.ts';
import { openInRoot, openPath } from '#sys/rooted.ts';

/** A container's file, told by a root and a path inside it. */
export interface ContainerPath {
  /** How owners are mapped there, for a container with a user namespace of its own. */
  readonly ids?: IdMap;
  /** Absolute on this machine; valid during the work only. */
  readonly root: string;
  /** Absolute inside the root. */
  readonly path: string;
}

/**
 * Runs `work` with the place of a container's file, its volumes and binds included. A running container is looked at
 * through its own root, of a stopped one the root is mounted with volumes and binds over it. `path` is absolute; nothing
 * outside the container is ever reached.
 */
export async function withContainerPath<T>(
  engine: Engine,
  container: Container,
  path: string,
  work: (place: ContainerPath) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { pid } = container.state;
  if (pid > 0) {
    using root = rootOfProcess(pid);
    // A process ID that was reused meanwhile would show somebody else's files.
    if (root !== undefined && engine.containers.get(container.id).state.pid === pid) {
      return await work({ root: root.path, path, ...(container.ids !== undefined && { ids: container.ids }) });
    }
  }
  checkMemory(container.mounts, path);
  return await engine.containers.withFiles(
    container.id,
    async (root, ids) => work({ root, path, ...(ids !== undefined && { ids }) }),
    signal,
  );
}

/** undefined when the process has ended meanwhile. */
function rootOfProcess(pid: number): RootedFile | undefined {
  try {
    return openInRoot(`/proc/${String(pid)}/root`, '');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return undefined;
    throw error;
  }
}

function checkMemory(mounts: readonly MountPoint[], path: string): void {
  const isThere = ({ type, destination }: MountPoint): boolean =>
    type === 'tmpfs' && (path === destination || path.startsWith(`${destination}/`));
  if (!mounts.some(isThere)) return;
  const way = 'start the container first';
  throw new StatusError('NotFound', `Could not find the file ${path}: a tmpfs is there only while it runs; ${way}`);
}

/** Where an opened file is inside its root, absolute. */
export function pathInRoot(root: string, opened: RootedFile): string {
  using top = openInRoot(root, '', openPath);
  const [rootPath, path] = [readlinkSync(top.path), readlinkSync(opened.path)];
  if (rootPath === '/') return path;
  return path === rootPath ? '/' : path.startsWith(`${rootPath}/`) ? path.slice(rootPath.length) : path;
}
