import { chmod, chown, readFile, rm, stat } from 'node:fs/promises';
import type { Server } from 'node:net';

import { hasCode } from '#sys/errno.ts';
import { StatusError } from '#base/errors.ts';
import { acceptsConnections, listenPrivately } from '#base/sockets.ts';

/** `sun_path` of unix(7) without its terminating zero. */
const maximumPathBytes = 107;
/** Who may use a socket; root always may. */
export interface SocketAccess {
  /** Permission bits. */
  readonly mode: number;
  /** The group of that name; undefined: root's. */
  readonly group: string | undefined;
}

/** Root and the group `docker`, where it exists. */
export const usualAccess: SocketAccess = { mode: 0o660, group: 'docker' };

/**
 * Listens on a unix socket. A socket that nobody listens on any more is replaced; throws Conflict when somebody does,
 * InvalidArgument when the path is too long, or there is no such group (but for the usual one).
 */
export async function listenOnSocket(server: Server, path: string, access: SocketAccess = usualAccess): Promise<void> {
  const group = access.group === undefined ? undefined : await groupId(access.group);
  if (access.group !== undefined && group === undefined && access !== usualAccess)
    throw new StatusError(
      'InvalidArgument',
      `Cannot listen on "${path}": there is no group "${access.group}"; make it, or correct docker.sockets`,
    );
  if (Buffer.byteLength(path) > maximumPathBytes) {
    throw new StatusError(
      'InvalidArgument',
      `Cannot listen on "${path}": a socket's path has at most ${String(maximumPathBytes)} bytes; choose a shorter one`,
    );
  }
  await removeStale(path);
  // Nobody may connect before it has its group.
  await listenPrivately(server, path);
  if (group !== undefined && process.getuid?.() === 0) await chown(path, 0, group);
  await chmod(path, access.mode);
}

async function removeStale(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new StatusError('Conflict', `Cannot listen on "${path}": a file of another kind is there; move it away`);
  }
  if (await acceptsConnections({ path })) {
    throw new StatusError('Conflict', `Cannot listen on "${path}": another daemon serves it; stop that one first`);
  }
  await rm(path, { force: true });
}

async function groupId(name: string): Promise<number | undefined> {
  const groups = await readFile('/etc/group', 'utf8').catch(() => '');
  const line = groups.split('\n').find((entry) => entry.startsWith(`${name}:`));
  const id = Number(line?.split(':')[2]);
  return line === undefined || !Number.isSafeInteger(id) ? undefined : id;
}
