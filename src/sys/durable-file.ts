import { closeSync, fdatasync, fsync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';

import { hasCode } from './errno.ts';

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

const temporaryName = /^\..+\.[0-9a-f]{12}\.tmp$/;

/**
 * Replaces a file so that after a crash or loss of power it holds either the old bytes or the new ones, whole: temporary
 * file in the same folder, fdatasync, rename, fsync of the folder. `mode` are the permission bits. For small files: only
 * waiting for the disk gives others a turn.
 */
export async function writeDurably(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  await writeAllDurably(dirname(path), [[basename(path), bytes]], mode);
}

/** Writes a value as JSON, durably. */
export async function writeJsonDurably(path: string, value: unknown, mode = 0o600): Promise<void> {
  await writeDurably(path, jsonText(value), mode);
}

/** `writeJsonDurably` for several files of one folder, by name: the disk is waited for once, not once for each. */
export async function writeAllJsonDurably(folder: string, values: ReadonlyMap<string, unknown>): Promise<void> {
  await writeAllDurably(
    folder,
    [...values].map(([name, value]) => [name, jsonText(value)]),
    0o600,
  );
}

async function writeAllDurably(
  folder: string,
  files: readonly (readonly [name: string, bytes: Uint8Array | string])[],
  mode: number,
): Promise<void> {
  if (files.length === 0) return;
  const suffix = `${newId().slice(0, 12)}.tmp`;
  const temporary = (name: string): string => join(folder, `.${name}.${suffix}`);
  try {
    const written = files.map(async ([name, bytes]) => {
      await withFile(openSync(temporary(name), 'wx', mode), async (fd) => {
        writeFileSync(fd, bytes);
        await syncData(fd);
      });
    });
    for (const outcome of await Promise.allSettled(written)) if (outcome.status === 'rejected') throw outcome.reason;
    for (const [name] of files) renameSync(temporary(name), join(folder, name));
  } catch (error) {
    for (const [name] of files) rmSync(temporary(name), { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Removes a file so that it does not come back after loss of power; one that is not there is fine. */
export async function removeDurably(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * The parsed JSON of a file that was written durably, undefined when there is none. Throws Damaged when the bytes are not
 * JSON or `isValid` refuses them: the caller chooses between giving up and going on without.
 */
export async function readJson<T>(path: string, isValid: (value: unknown) => value is T): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const value = parse(path, text);
  if (isValid(value)) return value;
  throw damaged(path, 'its content has not the expected shape');
}

/** Makes the names in a folder durable: after a rename, a new file or folder, or a removal. */
export async function syncFolder(path: string): Promise<void> {
  await withFile(openSync(path, 'r'), syncAll);
}

/** Makes a folder (and those above it) durably. */
export async function makeFolderDurably(path: string, mode = 0o700): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Deletes what an interrupted `writeDurably` left in a folder; for the start, before anything is written there. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (temporaryName.test(name)) await unlink(join(folder, name));
}

async function withFile(fd: number, work: (fd: number) => Promise<void>): Promise<void> {
  try {
    await work(fd);
  } finally {
    closeSync(fd);
  }
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(path, 'it is not JSON', error);
  }
}

function damaged(path: string, state: string, cause?: unknown): StatusError {
  return new StatusError('Damaged', `Cannot read file "${path}": ${state}; restore it or remove it`, { cause });
}
