import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { mountTmpfs, unmount } from '#sys/mounts.ts';

/** The files of a container while it runs, in the run folder: they are gone after a reboot, like the container. */
export interface Bundle {
  readonly folder: string;
  readonly config: string;
  /** Written by runc: the process ID of the container's first process. */
  readonly pid: string;
  readonly runtimeLog: string;
  readonly attachSocket: string;
  readonly control: string;
  /** runc's own state of the container. */
  readonly runtimeState: string;
  /** The container waits in here until somebody reads it: runc's `exec.fifo`. */
  readonly startGate: string;
  readonly execs: string;
  /** Mounted when the container shares its memory with others. */
  readonly sharedMemory: string;
}

/** Where things lie in the run folder. */
export interface RunPaths {
  readonly exits: string;
  readonly runtimeRoot: string;
  /** Folder with one bundle per container. */
  readonly bundles: string;
  bundle(id: string): Bundle;
  /** Removes what conmon wrote about the end of a process, once it is noted. */
  removeExit(id: string): void;
  hasExit(id: string): boolean;
}

export function runPaths(runDir: string): RunPaths {
  const runtimeRoot = join(runDir, 'runc');
  return {
    exits: join(runDir, 'exits'),
    runtimeRoot,
    bundles: join(runDir, 'c'),
    hasExit: (id) => existsSync(join(runDir, 'exits', id)),
    removeExit: (id) => rmSync(join(runDir, 'exits', id), { force: true }),
    bundle: (id) => {
      const folder = join(runDir, 'c', id);
      return {
        folder,
        config: join(folder, 'config.json'),
        pid: join(folder, 'pid'),
        runtimeLog: join(folder, 'runc.log'),
        attachSocket: join(folder, 'attach'),
        control: join(folder, 'ctl'),
        runtimeState: join(runtimeRoot, id),
        startGate: join(runtimeRoot, id, 'exec.fifo'),
        execs: join(folder, 'execs'),
        sharedMemory: join(folder, 'shm'),
      };
    },
  };
}

export function makeBundle(bundle: Bundle): void {
  removeBundle(bundle);
  mkdirSync(bundle.folder, { recursive: true, mode: 0o700 });
}

export function removeBundle(bundle: Bundle): void {
  unmount(bundle.sharedMemory, { lazy: true });
  rmSync(bundle.runtimeState, { recursive: true, force: true });
  rmSync(bundle.folder, { recursive: true, force: true });
}

/** Mounts the memory that the container shares; returns its path. */
export function mountSharedMemory(bundle: Bundle, options: readonly string[]): string {
  mkdirSync(bundle.sharedMemory, { mode: 0o700 });
  mountTmpfs(bundle.sharedMemory, options.join(','), ['nosuid', 'nodev', 'noexec']);
  return bundle.sharedMemory;
}
