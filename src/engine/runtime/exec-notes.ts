import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isObject } from '#base/json.ts';
import { hasCode } from '#sys/errno.ts';
import { isAlive, type ProcessIdentity } from '#sys/process.ts';

import type { Exec } from './containers.ts';
import { execFolder } from './end-run.ts';
import { type LiveContainer, type LiveExec, newLiveExec } from './live-container.ts';
import type { Room } from './room.ts';

/** What is kept of an exec while it runs, beside its files in the run folder. */
interface ExecNote {
  readonly exec: Exec;
  readonly holder: ProcessIdentity | undefined;
}

const noteName = 'exec.json';

/** Notes an exec that runs, so that it is found again after an end of this process. */
export function noteExec(
  room: Pick<Room, 'paths'>,
  live: LiveContainer,
  exec: LiveExec,
  holder: ProcessIdentity | undefined,
): void {
  const note: ExecNote = { exec: exec.value, holder };
  const path = join(execFolder(room, live, exec.value.id), noteName);
  try {
    writeFileSync(`${path}.tmp`, JSON.stringify(note), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    // It ended meanwhile, with its container.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** The execs of a container that were noted, and whether somebody still holds them. */
export function notedExecs(
  room: Pick<Room, 'paths'>,
  live: LiveContainer,
): readonly { readonly exec: LiveExec; readonly isHeld: boolean }[] {
  const folder = room.paths.bundle(live.id).execs;
  return names(folder).flatMap((id) => {
    const note = read(join(folder, id, noteName));
    if (note?.exec.id !== id) return [];
    return [{ exec: newLiveExec(note.exec), isHeld: note.holder !== undefined && isAlive(note.holder) }];
  });
}

function read(path: string): ExecNote | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isObject(note) && isObject(note['exec']) ? (note as unknown as ExecNote) : undefined;
  } catch {
    // Cut off before the exec ran.
    return undefined;
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
