import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

import { deadline, sleep } from '#base/clock.ts';
import { hasCode } from '#sys/errno.ts';

const cgroupRoot = '/sys/fs/cgroup';
const emptiesWithinMs = 20_000;

/**
 * A cgroup that counts the CPU time of everything that is started in it, also of groups below it that are gone by now
 * (cgroup v1 cpuacct, or v2).
 */
export class CpuGroup implements AsyncDisposable {
  /** As runc and `--cgroup-parent` name it. */
  readonly name: string;
  readonly #folder: string;
  readonly #isV1: boolean;

  constructor(name: string) {
    this.name = `/${name}`;
    this.#isV1 = existsSync(join(cgroupRoot, 'cpuacct'));
    this.#folder = join(cgroupRoot, this.#isV1 ? 'cpuacct' : '', name);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** The processes that put themselves in write here: `echo $$ > file`. */
  get processFile(): string {
    return join(this.#folder, 'cgroup.procs');
  }

  /** CPU milliseconds so far. */
  usedMs(): number {
    if (this.#isV1) return Number(readFileSync(join(this.#folder, 'cpuacct.usage'), 'utf8')) / 1e6;
    const usedUs = /^usage_usec (\d+)$/m.exec(readFileSync(join(this.#folder, 'cpu.stat'), 'utf8'))?.[1];
    return Number(usedUs ?? 0) / 1e3;
  }

  /** Ends what is left in it and removes it from every hierarchy. */
  async [Symbol.asyncDispose](): Promise<void> {
    const limit = deadline(emptiesWithinMs);
    for (const hierarchy of this.#isV1 ? readdirSync(cgroupRoot) : ['']) {
      const folder = join(cgroupRoot, hierarchy, this.name);
      while (!removeEmpty(folder)) await sleep(50, limit);
    }
  }
}

/** Kills the processes of a group and of those below, and removes them; false when some are not gone yet. */
function removeEmpty(folder: string): boolean {
  if (!existsSync(folder)) return true;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory() && !removeEmpty(join(folder, entry.name))) return false;
  try {
    for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
      process.kill(Number(pid), 'SIGKILL');
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EBUSY', 'ESRCH')) return false;
    throw error;
  }
}

/** A shell command that enters the group first; every process that it starts is counted. */
export function inGroup(group: CpuGroup, command: readonly string[]): readonly string[] {
  return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', group.processFile, ...command];
}
