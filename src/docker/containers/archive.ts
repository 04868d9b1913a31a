import { constants, readlinkSync } from 'node:fs';
import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { decompress } from '#engine/stream/decompress.ts';
import type { Container } from '#engine/runtime/container.ts';
import { resolveUser } from '#engine/runtime/spec/user.ts';
import { ownerOutside } from '#formats/id-map.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { hasCode } from '#sys/errno.ts';
import { openInRoot, openPath } from '#sys/rooted.ts';
import { extractTar } from '#sys/tree/extract-tar.ts';
import { readFileBody } from '#sys/tree/read-file-body.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { onClientBytes } from '../http/client-bytes.ts';
import type { Headers } from '../http/headers.ts';
import type { Reply } from '../http/reply.ts';
import { empty, stream } from '../http/reply.ts';
import { nsToIso } from '../text/timestamp.ts';
import { actor } from './attach.ts';
import type { ContainerPath } from './container-files.ts';
import { pathInRoot, withContainerPath } from './container-files.ts';
import { goFileMode } from './file-mode.ts';
import { openEntry } from './open-entry.ts';
import { packEntry } from './pack-entry.ts';

const tarType = 'application/x-tar';
const userFileBytes = 1024 * 1024;

/** HEAD /containers/{id}/archive: what is at a path, in a header. */
export async function statArchive({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { container, path } = targetOf(engine, call);
  return empty(200, await statHeader(engine, container, path, signal));
}

/** GET /containers/{id}/archive: a tar of what is at a path. */
export async function readArchive({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { container, path } = targetOf(engine, call);
  const headers = await statHeader(engine, container, path, signal);
  return stream({ contentType: tarType, headers }, async (output, abort) => {
    const pack = async (place: ContainerPath): Promise<void> => {
      for await (const chunk of packEntry(place, archiveName(path), abort)) await output.write(chunk);
    };
    await withContainerPath(engine, container, path, pack, abort);
    engine.events.publish('container', 'archive-path', container.id, actor(container));
  });
}

/** PUT /containers/{id}/archive: unpacks a tar into a folder. */
export async function writeArchive({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { container, path } = targetOf(engine, call);
  const keepsFolders = call.query.flag('noOverwriteDirNonDir');
  const takesOwner = call.query.flag('copyUIDGID') && container.spec.user !== '';
  const unpack = async (place: ContainerPath): Promise<void> => {
    checkFolder(place, container, path);
    const owner = takesOwner ? await ownerIn(place, container) : undefined;
    const tar = decompress(call.body.bytes);
    try {
      const { root, ids } = place;
      const transform = (entry: TarEntry): TarEntry => {
        const owned = { ...entry, ...owner };
        return ids === undefined ? owned : { ...owned, ...ownerOutside(ids, owned) };
      };
      const extraction = { root, path: place.path, tar, keepsFolders, transform };
      await onClientBytes(() => extractTar(extraction, signal));
    } catch (error) {
      if (hasCode(error, 'EROFS') || hasCode(causeOf(error), 'EROFS')) throw readOnlyError(path);
      throw error;
    }
  };
  await withContainerPath(engine, container, path, unpack, signal);
  engine.events.publish('container', 'extract-to-dir', container.id, actor(container));
  return empty(200);
}

interface Target {
  readonly container: Container;
  /** Absolute and clean, but for a `/` or `/.` at its end, which mean the folder's content. */
  readonly path: string;
}

function targetOf(engine: Context['engine'], call: Call): Target {
  const asked = call.query.text('path');
  if (asked === '' || asked.includes('\0')) {
    throw new StatusError('InvalidArgument', 'path cannot be empty');
  }
  const clean = posix.normalize(`/${asked}`).replace(/(?<=.)\/$/, '');
  const end = clean === '/' ? '' : (/\/\.?$/.exec(asked)?.[0] ?? '');
  return { container: engine.containers.get(call.params['id'] ?? ''), path: clean + end };
}

/** What the members of the archive are called: the path's last element, `.` for `folder/.`. */
function archiveName(path: string): string {
  if (path === '/') return '/';
  return path.endsWith('/.') ? '.' : posix.basename(path);
}

async function statHeader(
  engine: Context['engine'],
  container: Container,
  path: string,
  signal: AbortSignal,
): Promise<Headers> {
  const look = async (place: ContainerPath): Promise<object> => describe(place, container, path);
  const stat = await withContainerPath(engine, container, path, look, signal);
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64') };
}

async function describe(place: ContainerPath, container: Container, path: string): Promise<object> {
  try {
    using entry = openEntry(place);
    return {
      name: path === '/' ? '/' : posix.basename(path.replace(/\/\.?$/, '')),
      size: Number(entry.stat.size),
      mode: goFileMode(Number(entry.stat.mode)),
      mtime: nsToIso(entry.stat.mtimeNs),
      linkTarget: entry.stat.isSymbolicLink() ? resolveLink(place, readlinkSync(entry.at)) : '',
    };
  } catch (error) {
    throw missing(error, container, path);
  }
}

/** Where a link leads in the container; when there is nothing, what it says. */
function resolveLink(place: ContainerPath, target: string): string {
  try {
    using opened = openInRoot(place.root, place.path);
    return pathInRoot(place.root, opened);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    return posix.resolve(posix.dirname(place.path), target);
  }
}

function checkFolder(place: ContainerPath, container: Container, path: string): void {
  try {
    using _ = openInRoot(place.root, place.path, openPath | constants.O_DIRECTORY);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) {
      throw new StatusError('InvalidArgument', `extraction point is not a directory: ${path}`, { cause: error });
    }
    throw missing(error, container, path);
  }
}

/** The user and group that the container's processes run as. */
async function ownerIn(
  { root }: ContainerPath,
  container: Container,
): Promise<{ readonly uid: number; readonly gid: number }> {
  const read = (path: string): Promise<string> => readSmallFile({ root, path });
  const database = { passwd: await read('/etc/passwd'), group: await read('/etc/group') };
  const { uid, gid } = resolveUser(container.spec.user, [], database);
  return { uid, gid };
}

async function readSmallFile(place: ContainerPath): Promise<string> {
  try {
    using entry = openEntry(place);
    const chunks = [];
    const sizeBytes = Math.min(Number(entry.stat.size), userFileBytes);
    for await (const chunk of readFileBody(entry.at, sizeBytes)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return '';
    throw error;
  }
}

function missing(error: unknown, container: Container, path: string): unknown {
  if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return error;
  return new StatusError('NotFound', `Could not find the file ${path} in container ${container.name}`, {
    cause: error,
  });
}

function readOnlyError(path: string): StatusError {
  return new StatusError(
    'Forbidden',
    `Cannot copy to ${path}: the root filesystem or the mount there is read-only; choose another place`,
  );
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
