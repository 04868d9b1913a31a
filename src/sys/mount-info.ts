import { readFileSync, realpathSync } from 'node:fs';

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  readonly mountId: number;
  readonly parentId: number;
  /** `major:minor` of the filesystem. */
  readonly device: string;
  /** Path within the filesystem that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** Propagation: `shared:1`, `master:2`, ...; empty for private. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** The mounts of this process's mount namespace, in the order they were made. */
export function readMounts(): readonly MountInfo[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** Lines that have not the documented shape are left out. */
export function parseMountInfo(text: string): readonly MountInfo[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    if (separator < 0 || fields.length < separator + 3) return [];
    const field = (index: number): string => unescape(fields[index] ?? '');
    return {
      mountId: Number(fields[0]),
      parentId: Number(fields[1]),
      device: field(2),
      root: field(3),
      mountPoint: field(4),
      options: field(5).split(','),
      propagation: fields.slice(6, separator),
      type: field(separator + 1),
      source: field(separator + 2),
      superOptions: field(separator + 3).split(','),
    };
  });
}

/** Mounts at or below a path, deepest and latest first: the order in which they can be unmounted. */
export function mountsBelow(given: string, mounts = readMounts()): readonly MountInfo[] {
  const path = realPath(given);
  const prefix = path.endsWith('/') ? path : `${path}/`;
  return mounts.filter(({ mountPoint }) => mountPoint === path || mountPoint.startsWith(prefix)).toReversed();
}

export function isMountPoint(given: string): boolean {
  const path = realPath(given);
  return readMounts().some((mount) => mount.mountPoint === path);
}

/** The mount that a path is in; undefined when it is in none that is seen here. */
export function mountOf(given: string, mounts = readMounts()): MountInfo | undefined {
  const path = realPath(given);
  const holds = ({ mountPoint }: MountInfo): boolean =>
    mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
  // Of those at one place the last is seen.
  return mounts
    .filter(holds)
    .reduce<MountInfo | undefined>(
      (best, mount) => (best === undefined || mount.mountPoint.length >= best.mountPoint.length ? mount : best),
      undefined,
    );
}

/** Mounts are listed by their real paths. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
