import { closeSync, linkSync, mkdirSync, openSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { hasCode } from '#sys/errno.ts';

import type { LogLimits } from './log-config.ts';

/** The file that conmon writes; when it has `maxSizeBytes` conmon renames `log.tmp` over it and goes on there. */
const currentName = 'log';
const nextName = 'log.tmp';
const generationPattern = /^log\.(\d+)(\.gz)?$/;

/** One file of a log. Names are hard links, so that a generation stays when conmon replaces its file. */
export interface Generation {
  readonly number: number;
  readonly path: string;
  readonly compressed: boolean;
}

export function currentLogPath(folder: string): string {
  return join(folder, currentName);
}

/** The generations of a log, oldest first. The last may be empty: it is prepared for conmon to go on in. */
export function logGenerations(folder: string): readonly Generation[] {
  const found = new Map<number, Generation>();
  for (const name of names(folder)) {
    const match = generationPattern.exec(name);
    if (match === null) continue;
    const generation = { number: Number(match[1]), path: join(folder, name), compressed: match[2] !== undefined };
    // While both are there the plain one serves: it needs no work.
    if (!generation.compressed || !found.has(generation.number)) found.set(generation.number, generation);
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

/**
 * Prepares a log folder (idempotent): the current file, a name for its generation, and an empty next generation that
 * conmon will rotate into, so that conmon's rotations lose nothing even while this process does not run. To be called
 * before conmon starts and whenever it rotated. Generations over the limit are removed.
 */
export function arrangeLog(folder: string, limits: LogLimits): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const current = currentLogPath(folder);
  closeSync(openSync(current, 'a', 0o600));
  const number = currentNumber(folder) ?? nameCurrent(folder);
  prepareNext(folder, number + 1);
  removeGenerations(folder, (generation) => generation.number <= number - limits.maxFiles);
}

/** Generations that conmon has left for good, so that they can be compressed or removed. */
export function completeGenerations(folder: string): readonly Generation[] {
  const current = currentNumber(folder);
  return current === undefined ? [] : logGenerations(folder).filter(({ number }) => number < current);
}

export function removeGenerations(folder: string, isMeant: (generation: Generation) => boolean): void {
  for (const generation of logGenerations(folder).filter(isMeant)) {
    removeIfThere(generation.path);
    removeIfThere(compressedPath(generation));
  }
}

/** Where a generation lies when it is compressed. */
export function compressedPath({ path, compressed }: Generation): string {
  return compressed ? path : `${path}.gz`;
}

/** Begins a new generation when the current one is half full: conmon counts from zero whenever it starts. */
export function rotateBeforeStart(folder: string, limits: LogLimits): void {
  arrangeLog(folder, limits);
  if (statSync(currentLogPath(folder)).size <= limits.maxSizeBytes / 2) return;
  renameSync(join(folder, nextName), currentLogPath(folder));
  arrangeLog(folder, limits);
}

/** The number of the generation that conmon writes. */
function currentNumber(folder: string): number | undefined {
  const inode = inodeOf(currentLogPath(folder));
  if (inode === undefined) return undefined;
  return logGenerations(folder).find(({ path, compressed }) => !compressed && inodeOf(path) === inode)?.number;
}

function nameCurrent(folder: string): number {
  const number = (logGenerations(folder).at(-1)?.number ?? 0) + 1;
  linkSync(currentLogPath(folder), generationPath(folder, number));
  return number;
}

function prepareNext(folder: string, number: number): void {
  const next = join(folder, nextName);
  const path = generationPath(folder, number);
  closeSync(openSync(path, 'a', 0o600));
  if (inodeOf(next) === inodeOf(path)) return;
  removeIfThere(next);
  linkSync(path, next);
}

function generationPath(folder: string, number: number): string {
  return join(folder, `log.${String(number)}`);
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
