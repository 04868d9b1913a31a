import { linkSync, mkdirSync, openSync, closeSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { hasCode } from '#sys/errno.ts';

import type { LogLimits } from './log-options.ts';

/** The file that conmon writes; when it has `maxSizeBytes` conmon renames `log.tmp` over it and goes on there. */
const currentName = 'log';
const nextName = 'log.tmp';
const generationPattern = /^log\.(\d+)$/;

/** One file of a log. Names are hard links, so that a generation stays when conmon replaces its file. */
export interface Generation {
  readonly number: number;
  readonly path: string;
}

export function currentLogPath(folder: string): string {
  return join(folder, currentName);
}

/** The generations of a log, oldest first. The last may be empty: it is prepared for conmon to go on in. */
export function logGenerations(folder: string): readonly Generation[] {
  return names(folder)
    .map((name) => ({ number: Number(generationPattern.exec(name)?.[1] ?? 0), path: join(folder, name) }))
    .filter((generation) => generation.number > 0)
    .sort((a, b) => a.number - b.number);
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
  const currentInode = inodeOf(current);
  let number = logGenerations(folder).find(({ path }) => inodeOf(path) === currentInode)?.number;
  if (number === undefined) {
    number = (logGenerations(folder).at(-1)?.number ?? 0) + 1;
    linkSync(current, join(folder, `log.${String(number)}`));
  }
  prepareNext(folder, number + 1);
  for (const generation of logGenerations(folder)) {
    if (generation.number <= number - limits.maxFiles) unlinkSync(generation.path);
  }
}

/** Begins a new generation when the current one is half full: conmon counts from zero whenever it starts. */
export function rotateBeforeStart(folder: string, limits: LogLimits): void {
  arrangeLog(folder, limits);
  if (statSync(currentLogPath(folder)).size <= limits.maxSizeBytes / 2) return;
  renameSync(join(folder, nextName), currentLogPath(folder));
  arrangeLog(folder, limits);
}

function prepareNext(folder: string, number: number): void {
  const next = join(folder, nextName);
  const path = join(folder, `log.${String(number)}`);
  closeSync(openSync(path, 'a', 0o600));
  if (inodeOf(next) === inodeOf(path)) return;
  removeIfThere(next);
  linkSync(path, next);
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
