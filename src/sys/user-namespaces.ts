import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';

import { deadline } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { encodeRanges, type IdMap } from '#formats/id-map.ts';

import { bindMount } from './mounts.ts';
import { spawnProcess } from './spawn.ts';

/** Programs of util-linux, an essential package. */
const unsharePath = '/usr/bin/unshare';
const nsenterPath = '/usr/bin/nsenter';
/** Says that the namespaces are there, and ends when descriptor 3 is closed on the other side. */
const untilClosed = 'echo >&3; read -r _ <&3';
const startsWithinMs = 30_000;

/** Where namespaces are pinned. */
export interface NamespacePins {
  readonly user: string;
  /** Of the same owner: who is root in there may set its links, addresses and sysctls. */
  readonly network: string;
}

/**
 * Makes a user namespace with this map, and a network namespace that belongs to it; pins both by bind mounts. A process
 * with threads such as this one cannot enter a new user namespace (unshare(2)), so another one makes it.
 */
export async function pinUserNamespace(map: IdMap, pins: NamespacePins): Promise<void> {
  await using maker = await startMaker([unsharePath, '--user', '--net'], map);
  pinNamespace(`/proc/${String(maker.pid)}/ns/user`, pins.user);
  pinNamespace(`/proc/${String(maker.pid)}/ns/net`, pins.network);
}

/** Makes and pins a network namespace that belongs to the user namespace pinned at `owner`. */
export async function pinNetworkOf(owner: string, path: string): Promise<void> {
  const inside = [nsenterPath, `--user=${owner}`, '--setuid=0', '--setgid=0', unsharePath, '--net'];
  await using maker = await startMaker(inside, undefined);
  pinNamespace(`/proc/${String(maker.pid)}/ns/net`, path);
}

/** Pins a namespace at a new file, from another pin or a process. Throws SystemError EEXIST when there is something. */
export function pinNamespace(from: string, path: string): void {
  writeFileSync(path, '', { mode: 0o444, flag: 'wx' });
  bindMount(from, path);
}

/** A descriptor of a new user namespace with this map, for mounts whose owners it maps. */
export async function openUserNamespace(map: IdMap): Promise<{ readonly fd: number } & Disposable> {
  await using maker = await startMaker([unsharePath, '--user'], map);
  const fd = openSync(`/proc/${String(maker.pid)}/ns/user`, 'r');
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** A process that stands in the new namespaces until it is disposed of. */
async function startMaker(
  [path = '', ...options]: readonly string[],
  map: IdMap | undefined,
): Promise<{ readonly pid: number } & AsyncDisposable> {
  const args = [...options, '/bin/sh', '-c', untilClosed];
  const { pid, sockets, ended } = spawnProcess({ path, args, env: {}, cwd: '/', sockets: 1 });
  const [socket] = sockets;
  if (socket === undefined) throw new Error('invariant broken: a socket was asked for');
  await using undo = new AsyncDisposableStack();
  undo.defer(() => ended);
  undo.defer(() => void socket.destroy());
  // It says a line, or ends without one where the kernel or a limit refuses (user.max_user_namespaces).
  const said = await Promise.race([
    once(socket, 'data', { signal: deadline(startsWithinMs) }).then(() => true),
    ended.then(() => false),
  ]);
  if (!said)
    throw new StatusError(
      'NotSupported',
      'Cannot make a user namespace: the kernel refuses; look at user.max_user_namespaces and kernel.unprivileged_userns_clone',
    );
  if (map !== undefined) {
    writeFileSync(`/proc/${String(pid)}/uid_map`, encodeRanges(map.uids));
    writeFileSync(`/proc/${String(pid)}/gid_map`, encodeRanges(map.gids));
  }
  const owned = undo.move();
  return { pid, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
