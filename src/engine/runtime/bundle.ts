import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { bindMapped, bindMount, mountTmpfs, unmount, unmountTree } from '#sys/mounts.ts';
import { openBeneath, type RootedFile } from '#sys/rooted.ts';

import type { RuntimeName } from './oci-runtimes.ts';

/** The files of a container while it runs, in the run folder: they are gone after a reboot, like the container. */
export interface Bundle {
  readonly folder: string;
  readonly config: string;
  /** Written by the runtime: the process ID of the container's first process. */
  readonly pid: string;
  readonly runtimeLog: string;
  readonly attachSocket: string;
  readonly control: string;
  /** The runtimes' own state of the container; only that of its runtime is there. */
  readonly runtimeState: Readonly<Record<RuntimeName, string>>;
  readonly execs: string;
  /** Folder with a mount for each part of a volume or image that the container sees, and for what its user namespace owns. */
  readonly subpaths: string;
  /** Mounted when the container shares its memory with others. */
  readonly sharedMemory: string;
}

/** Where things lie in the run folder. */
export interface RunPaths {
  readonly exits: string;
  /** Folder with one bundle per container. */
  readonly bundles: string;
  /** Where the files of containers that do not run are looked at. */
  readonly views: string;
  bundle(id: string): Bundle;
  /** Removes what conmon wrote about the end of a process, once it is noted. */
  removeExit(id: string): void;
  hasExit(id: string): boolean;
}

export function runPaths(runDir: string): RunPaths {
  return {
    exits: join(runDir, 'exits'),
    bundles: join(runDir, 'c'),
    views: join(runDir, 'views'),
    hasExit: (id) => existsSync(join(runDir, 'exits', id)),
    removeExit: (id) => rmSync(join(runDir, 'exits', id), { force: true }),
    bundle: (id) => {
      const folder = join(runDir, 'c', id);
      return {
        folder,
        config: join(folder, 'config.json'),
        pid: join(folder, 'pid'),
        runtimeLog: join(folder, 'runtime.log'),
        attachSocket: join(folder, 'attach'),
        control: join(folder, 'ctl'),
        runtimeState: { crun: join(runDir, 'crun', id), runc: join(runDir, 'runc', id) },
        execs: join(folder, 'execs'),
        subpaths: join(folder, 'subpaths'),
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
  // Without this, what follows would delete the user's files.
  if (existsSync(bundle.subpaths)) unmountTree(bundle.subpaths);
  for (const state of Object.values(bundle.runtimeState)) rmSync(state, { recursive: true, force: true });
  rmSync(bundle.folder, { recursive: true, force: true });
}

/** Mounts the memory that the container shares; returns its path. */
export function mountSharedMemory(bundle: Bundle, options: readonly string[]): string {
  mkdirSync(bundle.sharedMemory, { mode: 0o700 });
  mountTmpfs(bundle.sharedMemory, options.join(','), ['nosuid', 'nodev', 'noexec']);
  return bundle.sharedMemory;
}

/**
 * Mounts a folder or file of a volume or image at a place of its own, so that links in it which change later lead the
 * container nowhere else. Throws in Docker's words when it is not there or outside.
 */
export function mountSubpath(
  bundle: Bundle,
  index: number,
  root: string,
  subpath: string,
  owners: number | undefined,
): string {
  using source = openSubpath(root, subpath);
  return mountAt(bundle, index, source.path, { recursive: true, owners });
}

/** Mounts a folder or file at a place of its own, without what is mounted below it: crun 1.8 would bind that, too. */
export function mountAlone(bundle: Bundle, index: number, source: string): string {
  return mountAt(bundle, index, source, { recursive: false, owners: undefined });
}

/** Mounts data of the engine's with owners as the user namespace behind a descriptor maps them. */
export function mountOwned(bundle: Bundle, index: number, source: string, owners: number): string {
  return mountAt(bundle, index, source, { recursive: false, owners });
}

function mountAt(
  bundle: Bundle,
  index: number,
  source: string,
  { recursive, owners }: { readonly recursive: boolean; readonly owners: number | undefined },
): string {
  const target = join(bundle.subpaths, String(index));
  mkdirSync(bundle.subpaths, { recursive: true, mode: 0o700 });
  makeMountPoint(source, target);
  if (owners === undefined) bindMount(source, target, { recursive });
  else bindMapped(source, target, owners);
  return target;
}

/** A folder to mount a folder at, a file for anything else. */
export function makeMountPoint(source: string, target: string): void {
  if (statSync(source).isDirectory()) mkdirSync(target, { mode: 0o700 });
  else writeFileSync(target, '', { mode: 0o600 });
}

function openSubpath(root: string, subpath: string): RootedFile {
  try {
    return openBeneath(root, subpath);
  } catch (error) {
    if (hasCode(error, 'EXDEV'))
      throw new StatusError('InvalidArgument', `subpath ${subpath} escapes the base directory`, { cause: error });
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    throw new StatusError('InvalidArgument', `cannot access path ${subpath}: no such file or directory`, {
      cause: error,
    });
  }
}
