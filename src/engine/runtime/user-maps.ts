import { mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';

import { messageOf, StatusError } from '#base/errors.ts';
import { type IdMap, subordinateRanges, withHostRoot } from '#formats/id-map.ts';
import { hasCode } from '#sys/errno.ts';
import { bindMapped, unmountSurely } from '#sys/mounts.ts';
import { openUserNamespace } from '#sys/user-namespaces.ts';

import { parseKernel } from './spec/host-facts.ts';

export interface UserMapOptions {
  /** '', `default`, or `USER[:GROUP]` by name or number: whose subordinate IDs containers get. */
  readonly remap: string;
  /** Folders to look for `subuid` and `subgid` in, the first that has one counts. */
  readonly etcFolders: readonly string[];
  readonly dataDir: string;
  readonly runDir: string;
}

/** dockerd's user for `default`. */
const defaultUser = 'dockremap';
/** The first Linux that lets an overlay have layers with mapped owners. */
const overlayMaps = [5, 19] as const;
const passwd = '/etc/passwd';

/**
 * The users and groups of containers with a user namespace of their own, and for mounts a namespace with each map that was
 * asked for: those of containers that run, and the one that new ones get.
 */
export class UserMaps implements Disposable {
  /** What new containers get; undefined: they have the host's users. */
  readonly ids: IdMap | undefined;
  readonly #namespaces = new Map<string, Promise<{ readonly fd: number } & Disposable>>();
  readonly #owned = new DisposableStack();

  constructor(ids: IdMap | undefined) {
    this.ids = ids;
  }

  /** Descriptor of a user namespace for mounts whose owners are mapped so; root of the host may write through them. */
  async mountsOf(ids: IdMap): Promise<number> {
    const key = JSON.stringify(ids);
    const known = this.#namespaces.get(key);
    if (known !== undefined) return (await known).fd;
    const opening = openUserNamespace(withHostRoot(ids)).then((opened) => this.#owned.use(opened));
    this.#namespaces.set(key, opening);
    opening.catch(() => this.#namespaces.delete(key));
    return (await opening).fd;
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** Throws InvalidArgument or NotSupported, with the way out, when containers could not run like that. */
export async function openUserMaps(options: UserMapOptions): Promise<UserMaps> {
  const maps = new UserMaps(readIdMap(options));
  if (maps.ids === undefined) return maps;
  try {
    checkKernel();
    checkPath(options.runDir);
    checkFilesystem(options, await maps.mountsOf(maps.ids));
    return maps;
  } catch (error) {
    maps[Symbol.dispose]();
    throw error;
  }
}

function readIdMap({ remap, etcFolders }: UserMapOptions): IdMap | undefined {
  if (remap === '') return undefined;
  const [user = '', group = user] = (remap === 'default' ? defaultUser : remap).split(':');
  const of = (file: 'subuid' | 'subgid', owner: readonly string[]): IdMap['uids'] => {
    const paths = etcFolders.map((folder) => join(folder, file));
    const ranges = subordinateRanges(readText(paths.find(isFile) ?? ''), owner);
    if (ranges.length > 0) return ranges;
    const name = owner[0] ?? '';
    const missing = readText(passwd).includes(`\n${name}:`) ? '' : `useradd --system ${name}, and `;
    throw new StatusError(
      'InvalidArgument',
      `Cannot remap users: ${paths.at(-1) ?? file} has no range for "${name}"; add one by ${missing}echo ${name}:231072:65536 >> ${paths.at(-1) ?? file}`,
    );
  };
  return { uids: of('subuid', namesOf(user)), gids: of('subgid', group === user ? namesOf(user) : [group]) };
}

/** A user's name and number, the given one first: the files take both. */
function namesOf(user: string): readonly string[] {
  for (const line of readText(passwd).split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name === user) return [user, uid];
    if (uid === user && name !== '') return [user, name];
  }
  return [user];
}

function checkKernel(): void {
  const [major, minor] = parseKernel(release());
  const [needsMajor, needsMinor] = overlayMaps;
  if (major > needsMajor || (major === needsMajor && minor >= needsMinor)) return;
  throw new StatusError(
    'NotSupported',
    `Cannot remap users: overlayfs maps owners since Linux ${overlayMaps.join('.')}, this is ${release()}; unset engine.usernsRemap, or boot a newer kernel`,
  );
}

/** Root of a container, who is nobody here, looks for its root filesystem below. */
function checkPath(runDir: string): void {
  for (let folder = runDir; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0)
      throw new StatusError(
        'InvalidArgument',
        `Cannot remap users: they may not pass through "${folder}"; say chmod o+x ${folder}, or use another root`,
      );
    if (folder === '/') return;
  }
}

function checkFilesystem({ dataDir, runDir }: UserMapOptions, userNamespace: number): void {
  const place = join(runDir, 'mapped-probe');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  try {
    bindMapped(dataDir, place, userNamespace);
    unmountSurely(place);
  } catch (error) {
    throw new StatusError(
      'NotSupported',
      `Cannot remap users: the filesystem of "${dataDir}" cannot map owners (${messageOf(error)}); use ext4, xfs or btrfs, or unset engine.usernsRemap`,
      { cause: error },
    );
  } finally {
    rmdirSync(place);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
