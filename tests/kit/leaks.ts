import { readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

import { instancePaths } from '#app/instance-paths.ts';
import { mountsBelow } from '#sys/mount-info.ts';
import { unmountTree } from '#sys/mounts.ts';

import { command, commandOutput } from './command.ts';
import { toolPath } from './tools.ts';

/** What an instance has in the kernel. */
export interface Leaks {
  readonly processes: readonly { readonly pid: number; readonly name: string }[];
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly tables: readonly string[];
  readonly cgroups: readonly string[];
}

/** Looks for everything that belongs to the instance of a root. */
export async function findLeaks(root: string): Promise<Leaks> {
  const { instance } = instancePaths(root);
  const links = JSON.parse(await commandOutput(toolPath('ip'), ['-j', 'link'])) as { ifname: string }[];
  const tables = (await commandOutput(toolPath('nft'), ['list', 'tables'])).split('\n').filter(Boolean);
  return {
    processes: processesOf(root),
    mounts: mountsBelow(root).map((mount) => mount.mountPoint),
    links: links.map((link) => link.ifname).filter((name) => hasTag(name, instance)),
    tables: tables.map((line) => line.replace(/^table /, '')).filter((name) => hasTag(name, instance)),
    cgroups: cgroupsOf(instance),
  };
}

/** One line per leak; empty when there is none. */
export function describeLeaks(leaks: Leaks): readonly string[] {
  return [
    ...leaks.processes.map(({ pid, name }) => `process ${String(pid)} ${name}`),
    ...leaks.mounts.map((path) => `mount ${path}`),
    ...leaks.links.map((name) => `network interface ${name}`),
    ...leaks.tables.map((name) => `nftables table ${name}`),
    ...leaks.cgroups.map((path) => `cgroup ${path}`),
  ];
}

/** Takes leaks away by force, so that the next test starts clean. */
export async function removeLeaks(root: string, leaks: Leaks): Promise<void> {
  for (const { pid } of leaks.processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  for (const name of leaks.links) await command(toolPath('ip'), ['link', 'delete', name]);
  for (const name of leaks.tables) await command(toolPath('nft'), ['delete', 'table', ...name.split(' ')]);
  unmountTree(root);
  for (const path of leaks.cgroups) {
    try {
      removeGroup(path);
    } catch {
      // Its processes end a moment later; an empty group does no harm.
    }
  }
}

/** Its files cannot be removed; it goes when it has no groups and no processes in it. */
function removeGroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  rmdirSync(path);
}

/** The tag stands between word boundaries or dashes, so that it is not found inside of other words. */
function hasTag(name: string, instance: string): boolean {
  return instance !== '' && name.includes(instance);
}

/** Processes that name the root in their arguments, or see it in a mount namespace of their own (containers). */
function processesOf(root: string): { pid: number; name: string }[] {
  const own = readlinkSync('/proc/self/ns/mnt');
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || pid === process.ppid) return [];
    try {
      const name = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const inside =
        readlinkSync(`/proc/${entry}/ns/mnt`) !== own &&
        readFileSync(`/proc/${entry}/mountinfo`, 'utf8')
          .split('\n')
          .some((line) => isMountOf(root, line));
      return name.includes(root) || inside ? [{ pid, name }] : [];
    } catch {
      return []; // It ended meanwhile, or belongs to the kernel.
    }
  });
}

function cgroupsOf(instance: string): string[] {
  const depthMost = 4;
  const found: string[] = [];
  const look = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (hasTag(entry.name, instance)) found.push(path);
      else if (depth < depthMost) look(path, depth + 1);
    }
  };
  look('/sys/fs/cgroup', 0);
  return found;
}

/**
 * Whether a line of mountinfo is a mount that a container of the root has. A container that another instance is just making
 * still has all mounts of the machine, at their places there.
 */
function isMountOf(root: string, line: string): boolean {
  return line.includes(root) && line.split(' ')[4]?.startsWith(root) === false;
}
