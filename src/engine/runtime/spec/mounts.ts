import { statSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import type { Owner } from '#formats/id-map.ts';

import type { ContainerSpec, MountRequest } from '../container.ts';
import type { RuntimeMount } from './runtime-spec.ts';

/** A mount of the user's with its source found: volumes are paths by now. */
export type ResolvedMount =
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      /** Default: `all-if-possible`. */
      readonly readOnlyReach?: MountRequest['readOnlyReach'];
      readonly nonRecursive?: boolean;
      /** '' = rprivate. */
      readonly propagation: string;
    }
  | {
      readonly type: 'tmpfs';
      readonly target: string;
      readonly readOnly: boolean;
      readonly sizeBytes?: number;
      readonly mode?: number;
      readonly options?: readonly string[];
    };

export interface MountInput {
  readonly spec: Pick<ContainerSpec, 'privileged' | 'readOnlyRoot' | 'shmSizeBytes' | 'ipcMode'>;
  readonly mounts: readonly ResolvedMount[];
  /** Host paths of the files that the container sees at these places; absent ones are left to the image. */
  readonly files: Readonly<Partial<Record<'/etc/hosts' | '/etc/hostname' | '/etc/resolv.conf', string>>>;
  readonly initPath: string | undefined;
  /** `rro` where the kernel can make a whole tree of mounts read-only (5.12), else `ro`. */
  readonly readOnlyOption: 'rro' | 'ro';
  /** Whether /sys/fs/cgroup can be written. */
  readonly writableCgroups: boolean;
  /** Host path of shared memory that is shared with other containers; undefined: the container has its own or the host's. */
  readonly sharedMemory: string | undefined;
}

/** Where the init binary appears in a container that asked for one; Docker's path. */
export const initTarget = '/sbin/docker-init';

/** The mounts of a container: the kernel's file systems, then files and the user's mounts, outer paths first. */
export function runtimeMounts(input: MountInput): readonly RuntimeMount[] {
  const user = input.mounts.map((mount) => (mount.type === 'bind' ? bindMount(mount, input) : tmpfsMount(mount)));
  const taken = new Set(user.map((mount) => mount.destination));
  const own = [...fileMounts(input), ...initMount(input)].filter((mount) => !taken.has(mount.destination));
  const kernel = kernelMounts(input).filter(
    (mount) => !taken.has(mount.destination) && !(taken.has('/dev') && mount.destination.startsWith('/dev/')),
  );
  const rest = [...own, ...user].map((mount, index) => ({ mount, index, depth: depthOf(mount.destination) }));
  rest.sort((a, b) => a.depth - b.depth || a.index - b.index);
  return [...kernel, ...rest.map((item) => item.mount)];
}

/** What a bind has to keep in a user namespace that does not own its source (mount_namespaces(7), locked flags). */
const lockedOptions: ReadonlySet<string> = new Set(['ro', 'nosuid', 'nodev', 'noexec']);

/** The mounts as a runtime in a user namespace may make them: runc makes a bind read-only by all its flags anew. */
export function keepLocked(
  mounts: readonly RuntimeMount[],
  optionsOf: (source: string) => readonly string[],
): readonly RuntimeMount[] {
  return mounts.map((mount) => {
    if (mount.type !== 'bind') return mount;
    const locked = optionsOf(mount.source).filter((option) => lockedOptions.has(option));
    const given = locked.includes('ro') ? mount.options.filter((option) => option !== 'rw') : mount.options;
    return { ...mount, options: [...given, ...locked.filter((option) => !given.includes(option))] };
  });
}

/** The root's propagation that the mounts need, undefined for the runtime's default (private). */
export function rootPropagation(mounts: readonly ResolvedMount[]): string | undefined {
  const wanted = mounts.map((mount) => (mount.type === 'bind' ? mount.propagation : ''));
  if (wanted.some((value) => value === 'shared' || value === 'rshared')) return 'rshared';
  return wanted.some((value) => value === 'slave' || value === 'rslave') ? 'rslave' : undefined;
}

function depthOf(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}

function bindMount(mount: ResolvedMount & { type: 'bind' }, input: MountInput): RuntimeMount {
  const propagation = mount.propagation === '' ? 'rprivate' : mount.propagation;
  const kind = mount.nonRecursive === true ? 'bind' : 'rbind';
  const options = [kind, mount.readOnly ? readOnlyOption(mount, input) : 'rw', propagation];
  return { destination: mount.target, type: 'bind', source: mount.source, options };
}

function readOnlyOption(
  { source, target, readOnlyReach = 'all-if-possible' }: ResolvedMount & { type: 'bind' },
  input: MountInput,
): string {
  // Nothing lies below a file, and crun 1.8 takes it for a folder when it looks.
  if (isFile(source)) return 'ro';
  if (readOnlyReach === 'all' && input.readOnlyOption !== 'rro')
    throw new StatusError(
      'NotSupported',
      `Cannot mount ${target} read-only with all below it: that needs Linux 5.12; say bind-recursive=writable`,
    );
  return readOnlyReach === 'top' ? 'ro' : input.readOnlyOption;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

function tmpfsMount(mount: ResolvedMount & { type: 'tmpfs' }): RuntimeMount {
  const options = new Map<string, string>();
  for (const option of ['noexec', 'nosuid', 'nodev', ...(mount.options ?? [])]) {
    const key = /^[^=]*/.exec(option)?.[0] ?? option;
    for (const opposite of [`no${key}`, key.replace(/^no/, '')]) options.delete(opposite);
    options.set(key, option);
  }
  if (mount.sizeBytes !== undefined && mount.sizeBytes > 0) options.set('size', `size=${String(mount.sizeBytes)}`);
  if (mount.mode !== undefined) options.set('mode', `mode=${mount.mode.toString(8)}`);
  if (mount.readOnly) options.set('ro', 'ro');
  return { destination: mount.target, type: 'tmpfs', source: 'tmpfs', options: [...options.values(), 'rprivate'] };
}

function fileMounts(input: MountInput): readonly RuntimeMount[] {
  return Object.entries(input.files).map(([destination, source]) => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', input.spec.readOnlyRoot ? 'ro' : 'rw', 'rprivate'],
  }));
}

function initMount(input: MountInput): readonly RuntimeMount[] {
  if (input.initPath === undefined) return [];
  return [{ destination: initTarget, type: 'bind', source: input.initPath, options: ['bind', 'ro', 'rprivate'] }];
}

function kernelMounts(input: MountInput): readonly RuntimeMount[] {
  const writable = input.spec.privileged ? [] : ['ro'];
  const mount = (
    destination: string,
    type: string,
    options: readonly string[],
    source: string = type,
  ): RuntimeMount => ({
    destination,
    type,
    source,
    options,
  });
  return [
    mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', ...writable]),
    mount('/sys/fs/cgroup', 'cgroup', [...(input.writableCgroups ? [] : ['ro']), 'nosuid', 'noexec', 'nodev']),
    mount('/dev/mqueue', 'mqueue', ['nosuid', 'noexec', 'nodev']),
    ...shmMount(input),
  ];
}

function shmMount(input: MountInput): readonly RuntimeMount[] {
  const destination = '/dev/shm';
  const { ipcMode, shmSizeBytes } = input.spec;
  if (ipcMode === 'none') return [];
  const source = ipcMode === 'host' ? destination : input.sharedMemory;
  if (source !== undefined) return [{ destination, type: 'bind', source, options: ['rbind', 'rw', 'rprivate'] }];
  return [
    { destination, type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', ...shmOptions(shmSizeBytes)] },
  ];
}

/** Options of a tmpfs for shared memory. */
export function shmOptions(sizeBytes: number, { uid, gid }: Owner = { uid: 0, gid: 0 }): readonly string[] {
  return ['mode=1777', `size=${String(sizeBytes)}`, ...(uid === 0 ? [] : [`uid=${String(uid)}`, `gid=${String(gid)}`])];
}
