import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

import { type CgroupStats, parsePairs, readStatsV1, readStatsV2 } from './cgroup-stats.ts';
import { hasCode } from './errno.ts';

/** `hybrid`: the controllers are v1, and an empty v2 tree stands beside them. */
type CgroupMode = 'v1' | 'v2' | 'hybrid';

/** The cgroups of this machine. A `path` is what runc's `cgroupsPath` says, such as `/slipway/<id>`. */
export interface Cgroups {
  readonly mode: CgroupMode;
  readonly controllers: readonly string[];
  exists(path: string): boolean;
  /** Zeros for what the kernel does not count, or when the cgroup is gone. */
  stats(path: string): CgroupStats;
  /** Process IDs in it and below. */
  pids(path: string): readonly number[];
  isFrozen(path: string): boolean;
  /** How many of its processes the kernel killed for want of memory. */
  oomKills(path: string): number;
  /** Absolute folder of a controller's control files; undefined when the machine has not got the controller. */
  folder(controller: string, path: string): string | undefined;
  /** Removes empty cgroups that a crash left; false when processes are still in there. */
  remove(path: string): boolean;
}

/** Looks at the tree once; `root` is where the cgroups are mounted. */
export function openCgroups(root = '/sys/fs/cgroup'): Cgroups {
  const mode = detectMode(root);
  const tree = mode === 'v2' ? { kind: 'v2' as const, root } : { kind: 'v1' as const, root };
  const folders = tree.kind === 'v2' ? new Map<string, string>() : findControllers(root);
  const folder = (controller: string, path: string): string | undefined => {
    const base = tree.kind === 'v2' ? root : folders.get(controller);
    return base === undefined ? undefined : join(base, path);
  };
  const read = (path: string, controller: string, file: string): string => {
    const base = folder(controller, path);
    return base === undefined ? '' : readControl(join(base, file));
  };
  const main = tree.kind === 'v2' ? '' : folders.has('pids') ? 'pids' : 'memory';
  const mainFolder = (path: string): string => folder(main, path) ?? join(root, main, path);
  const bases = tree.kind === 'v2' ? [root] : readdirSync(root).map((name) => join(root, name));
  return {
    mode,
    controllers: tree.kind === 'v2' ? words(readControl(join(root, 'cgroup.controllers'))) : [...folders.keys()],
    folder,
    exists: (path) => existsSync(mainFolder(path)),
    stats: (path) =>
      tree.kind === 'v2'
        ? readStatsV2((file) => read(path, '', file))
        : readStatsV1((name) => read(path, ...splitControl(name))),
    pids: (path) => pidsBelow(mainFolder(path)),
    isFrozen: (path) =>
      tree.kind === 'v2'
        ? parsePairs(read(path, '', 'cgroup.events'))['frozen'] === 1
        : read(path, 'freezer', 'freezer.state').trim() === 'FROZEN',
    oomKills: (path) =>
      parsePairs(tree.kind === 'v2' ? read(path, '', 'memory.events') : read(path, 'memory', 'memory.oom_control'))[
        'oom_kill'
      ] ?? 0,
    remove: (path) => bases.map((base) => removeTree(join(base, path))).every(Boolean),
  };
}

function detectMode(root: string): CgroupMode {
  if (existsSync(join(root, 'cgroup.controllers'))) return 'v2';
  return existsSync(join(root, 'unified', 'cgroup.controllers')) ? 'hybrid' : 'v1';
}

/** Controllers are mounted alone (`cpu`) or together (`cpu,cpuacct`), with links for the single names or without. */
function findControllers(root: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(root).sort()) {
    if (name === 'unified' || name === 'systemd') continue;
    for (const controller of name.split(',')) found.set(controller, join(root, name));
  }
  return found;
}

function splitControl(name: string): [string, string] {
  const [controller = '', file = ''] = name.split('/');
  return [controller, file];
}

function readControl(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return '';
    throw error;
  }
}

function pidsBelow(folder: string): readonly number[] {
  const own = words(readControl(join(folder, 'cgroup.procs'))).map(Number);
  return [...own, ...subfolders(folder).flatMap((name) => pidsBelow(join(folder, name)))];
}

function removeTree(folder: string): boolean {
  for (const name of subfolders(folder)) if (!removeTree(join(folder, name))) return false;
  try {
    rmdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'EBUSY', 'ENOTEMPTY')) return false;
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  return true;
}

function subfolders(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
