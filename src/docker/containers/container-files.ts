import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';

import { deadline } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { Engine } from '#engine/engine.ts';
import type { Container, MountPoint } from '#engine/runtime/container.ts';
import { hasCode } from '#sys/errno.ts';
import type { RootedFile } from '#sys/rooted.ts';
import { openInRoot, openPath } from '#sys/rooted.ts';

/** A container's file, told by a root and a path inside it. */
export interface ContainerPath {
  /** Absolute on this machine; valid during the work only. */
  readonly root: string;
  /** Absolute inside the root. */
  readonly path: string;
  /** Where the root itself is in the container: `/`, or the target of a mount. */
  readonly base: string;
  readonly readOnly: boolean;
}

/** A volume on another machine is there within this, or not at all. */
const volumeOpensWithinMs = 180_000;
/** Links from one mount into another are followed so often. */
const maximumHops = 40;

/**
 * Runs `work` with the place of a container's file, its volumes and binds included. A running container is looked at
 * through its own root; of a stopped one the root filesystem is mounted, and paths that lie in a mount lead to the
 * mount's source. `path` is absolute; nothing outside the container is ever reached.
 */
export async function withContainerPath<T>(
  engine: Engine,
  container: Container,
  path: string,
  work: (place: ContainerPath) => Promise<T>,
): Promise<T> {
  const { pid } = container.state;
  if (pid > 0) {
    using root = rootOfProcess(pid);
    // A process ID that was reused meanwhile would show somebody else's files.
    if (root !== undefined && engine.containers.get(container.id).state.pid === pid) {
      return await work({ root: root.path, path, base: '/', readOnly: false });
    }
  }
  await using volumes = new OpenedVolumes(engine);
  return await engine.containers.withRoot(container.id, async (root) =>
    work(await throughMounts(volumes, container, root, path)),
  );
}

/** Volumes that are looked into; disposing takes away again what had to be mounted for that. */
class OpenedVolumes implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #user = `copy-${newId().slice(0, 12)}`;
  readonly #names = new Set<string>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async open(name: string): Promise<string> {
    this.#names.add(name);
    return this.#engine.volumes.open(name, this.#user, deadline(volumeOpensWithinMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names) await this.#engine.volumes.close(name, this.#user);
  }
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

/** `path` may end with `/` or `/.`: then its last element is followed too. */
async function throughMounts(
  volumes: OpenedVolumes,
  container: Container,
  root: string,
  path: string,
): Promise<ContainerPath> {
  const end = path === '/' ? '' : (/\/\.?$/.exec(path)?.[0] ?? '');
  let wanted = path.slice(0, path.length - end.length);
  for (let hop = 0; hop < maximumHops; hop += 1) {
    const mount = mountOf(container.mounts, wanted);
    if (mount !== undefined) {
      const place = await mountPlace(volumes, container, mount, wanted);
      return { ...place, path: place.path === '/' ? '/' : place.path + end };
    }
    const real = realPath(root, wanted, end !== '');
    if (real === wanted) return { root, path: wanted + end, base: '/', readOnly: container.spec.readOnlyRoot };
    wanted = real;
  }
  throw new StatusError('InvalidArgument', `too many levels of symbolic links in "${path}"`);
}

function mountOf(mounts: readonly MountPoint[], path: string): MountPoint | undefined {
  const covering = mounts.filter(({ destination }) => path === destination || path.startsWith(`${destination}/`));
  return covering.sort((a, b) => b.destination.length - a.destination.length)[0];
}

async function mountPlace(
  volumes: OpenedVolumes,
  container: Container,
  mount: MountPoint,
  path: string,
): Promise<ContainerPath> {
  if (mount.type === 'tmpfs') {
    const way = 'start the container first';
    throw new StatusError('NotFound', `Could not find the file ${path}: a tmpfs is there only while it runs; ${way}`);
  }
  const isPart = container.spec.mounts.some(
    ({ target, subpath = '' }) => target === mount.destination && subpath !== '',
  );
  if (mount.type === 'image' || isPart) {
    const what = isPart ? 'a part of a volume' : 'an image';
    throw new StatusError(
      'NotSupported',
      `Could not find the file ${path}: ${what} is mounted there only while the container runs; start it first`,
    );
  }
  const source = mount.type === 'volume' ? await volumes.open(mount.name) : mount.source;
  const { destination: base, readOnly } = mount;
  const inside = path.slice(base.length) || '/';
  if (inside !== '/') return { root: source, path: inside, base, readOnly };
  // The source of a bind can be a single file.
  const isFolder = openFolder(source);
  return isFolder
    ? { root: source, path: '/', base, readOnly }
    : { root: posix.dirname(source), path: `/${posix.basename(source)}`, base: posix.dirname(base), readOnly };
}

function openFolder(path: string): boolean {
  try {
    using _ = openInRoot(path, '');
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOTDIR', 'ENOENT')) return false;
    throw error;
  }
}

/**
 * A path with the links in its folders resolved inside the root, the last element only when it shall be. What is not
 * there stays as it is.
 */
function realPath(root: string, path: string, followsLast: boolean): string {
  try {
    using opened = openInRoot(root, followsLast ? path : posix.dirname(path));
    const real = pathInRoot(root, opened);
    return followsLast ? real : posix.join(real, posix.basename(path));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return path;
    throw error;
  }
}

/** Where an opened file is inside its root, absolute. */
export function pathInRoot(root: string, opened: RootedFile): string {
  using top = openInRoot(root, '', openPath);
  const [rootPath, path] = [readlinkSync(top.path), readlinkSync(opened.path)];
  if (rootPath === '/') return path;
  return path === rootPath ? '/' : path.startsWith(`${rootPath}/`) ? path.slice(rootPath.length) : path;
}
