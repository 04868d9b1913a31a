import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { type IdMap, type Owner, ownerOutside } from '#formats/id-map.ts';
import { mountOf } from '#sys/mount-info.ts';
import { bindMount } from '#sys/mounts.ts';
import { pinNamespace, pinNetworkOf, pinUserNamespace } from '#sys/user-namespaces.ts';

import type { ContainerSpec } from './container.ts';
import { type ContainerRecord, isRunning } from './record.ts';
import type { Room } from './room.ts';
import { sharedWith } from './spec/namespaces.ts';
import type { UserMaps } from './user-maps.ts';

/** The user namespace of a container's run, which owns its other namespaces and its files. */
export interface RunOwner {
  readonly ids: IdMap;
  /** Where it is pinned. */
  readonly path: string;
  /** Where a new network namespace of it is pinned; undefined when it has none of its own. */
  readonly network: string | undefined;
  /** Descriptor of a namespace for mounts whose owners are mapped alike. */
  readonly mounts: number;
  /** Options of the mount that a path is in. */
  optionsOf(path: string): readonly string[];
  /** Who its root is on the host. */
  readonly root: Owner;
}

/** What the pins of a run are called in a folder of its own; each is a mount. */
const pinNames = { user: 'user', network: 'net', root: 'root' } as const;

export interface OwnerRequest {
  readonly ids: IdMap;
  /** Exists; whoever takes the run away unmounts what is in it. */
  readonly folder: string;
  readonly ownNetwork: boolean;
  /** Pin of another run's user namespace to be in. */
  readonly joins?: string;
}

export async function openOwner(maps: UserMaps, { ids, folder, ownNetwork, joins }: OwnerRequest): Promise<RunOwner> {
  const pins = { user: join(folder, pinNames.user), network: join(folder, pinNames.network) };
  if (joins === undefined) await pinUserNamespace(ids, pins);
  else {
    pinNamespace(joins, pins.user);
    if (ownNetwork) await pinNetworkOf(pins.user, pins.network);
  }
  return {
    ids,
    path: pins.user,
    network: ownNetwork ? pins.network : undefined,
    mounts: await maps.mountsOf(ids),
    optionsOf: (path) => mountOf(path)?.options ?? [],
    root: ownerOutside(ids, { uid: 0, gid: 0 }),
  };
}

/** The owner of a container's next run; undefined for the host's users. Throws Conflict for namespaces that do not fit. */
export async function openRunOwner(room: Room, record: ContainerRecord): Promise<RunOwner | undefined> {
  const { spec } = record;
  const ids = spec.usernsMode === 'host' ? undefined : room.userMaps.ids;
  if (ids === undefined) return undefined;
  const bundle = room.paths.bundle(record.id);
  mkdirSync(bundle.subpaths, { mode: 0o700 });
  // One that does not run is refused by what would share.
  const donors = [...new Set(donorsOf(spec))].map((id) => room.table.get(id).record).filter(isRunning);
  const pins = donors.map(({ id }) => join(room.paths.bundle(id).subpaths, pinNames.user));
  for (const [index, { name, run }] of donors.entries())
    if (run?.ids === undefined || !isSameFile(pins[index] ?? '', pins[0] ?? ''))
      throw new StatusError(
        'Conflict',
        `Cannot share namespaces of container "${name}": its users are others; say --userns=host for all that share, or for none`,
      );
  const owner = await openOwner(room.userMaps, {
    ids: donors[0]?.run?.ids ?? ids,
    folder: bundle.subpaths,
    ownNetwork: spec.network.mode !== 'container',
    ...(pins[0] !== undefined && { joins: pins[0] }),
  });
  letPass(owner, room.paths.bundles, bundle.folder, bundle.subpaths);
  return owner;
}

/** Refuses what needs the host's users where containers have their own, in Docker's words (moby, daemon/daemon_unix.go, verifyPlatformContainerSettings). */
export function checkOwner(
  { ids }: UserMaps,
  {
    privileged,
    network,
    pidMode,
    usernsMode,
  }: Pick<ContainerSpec, 'privileged' | 'network' | 'pidMode' | 'usernsMode'>,
): void {
  if (ids === undefined || usernsMode === 'host') return;
  const refused = privileged
    ? 'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode'
    : network.mode === 'host'
      ? "cannot share the host's network namespace when user namespaces are enabled"
      : pidMode === 'host'
        ? 'cannot share the host PID namespace when user namespaces are enabled'
        : undefined;
  if (refused !== undefined) throw new StatusError('InvalidArgument', refused);
}

/** The root filesystem at a place that the container's users can reach, as its own root does the rest from inside. */
export function mountReachable(rootPath: string, folder: string): string {
  const path = join(folder, pinNames.root);
  mkdirSync(path, { mode: 0o700 });
  bindMount(rootPath, path);
  return path;
}

/** Lets the run's root through these folders, and nobody else. */
export function letPass({ root }: Pick<RunOwner, 'root'>, ...folders: readonly string[]): void {
  for (const folder of folders) {
    chownSync(folder, 0, root.gid);
    chmodSync(folder, 0o710);
  }
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** Containers whose namespaces a container joins. Their owner has to be its own (setns(2)). */
function donorsOf({ network, pidMode, ipcMode }: ContainerRecord['spec']): readonly string[] {
  return [network.shareWith, sharedWith(pidMode), sharedWith(ipcMode)].filter((id) => id !== undefined);
}
