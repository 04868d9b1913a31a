import { lstatSync, mkdirSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where Docker's clients look. */
export const systemDockerSocket = '/var/run/docker.sock';

export type LinkState = 'ours' | 'absent' | 'dangling' | 'foreign';

/** Who has the path: our link, nobody, a link that leads nowhere, or somebody else (a Docker of this machine). */
export function linkState(path: string, target: string): LinkState {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'absent';
  if (!found.isSymbolicLink()) return 'foreign';
  if (readlinkSync(path) === target) return 'ours';
  return statSync(path, { throwIfNoEntry: false }) === undefined ? 'dangling' : 'foreign';
}

/** Makes the path lead to our socket unless somebody else has it; returns whether it does. */
export function linkDockerSocket(path: string, target: string): boolean {
  const state = linkState(path, target);
  if (state === 'ours') return true;
  if (state === 'foreign') return false;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(target, path);
  return true;
}

/** Takes our link away again (idempotent). */
export function unlinkDockerSocket(path: string, target: string): void {
  if (linkState(path, target) === 'ours') rmSync(path, { force: true });
}
