import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { newId } from '#base/ids.ts';
import { isObject } from '#base/json.ts';
import { readJson, removeDurably, writeJsonDurably } from '#sys/durable-file.ts';
import { syncFilesystem } from '#sys/files.ts';
import { copyAttributes } from '#sys/tree/copy-attributes.ts';
import { extractTar } from '#sys/tree/extract-tar.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { volumePaths } from './volume-folder.ts';

/**
 * How far a restore is, durably: the archive is unpacked beside the old data (`unpacking`), then the old data goes
 * (`clearing`), then the new takes its place (`moving`). Cut off in the first step nothing has changed; cut off later it
 * is finished.
 */
interface Restore {
  readonly step: 'unpacking' | 'clearing' | 'moving';
  /** Name of the folder in the data that holds the new data. */
  readonly stage: string;
}

/** Replaces what is in a volume, which is mounted when it needs to be, by an archive's files. */
export async function restoreData(folder: string, tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const { data } = volumePaths(folder);
  const stage = `.slipway-restore-${newId().slice(0, 12)}`;
  await note(folder, { step: 'unpacking', stage });
  try {
    await mkdir(join(data, stage), { mode: 0o755 });
    await extractTar({ root: join(data, stage), path: '', tar, keepsHoles: true }, signal);
    await syncFilesystem(data);
    signal.throwIfAborted();
    await note(folder, { step: 'clearing', stage });
  } catch (error) {
    await finishRestore(folder);
    throw error;
  }
  await finishRestore(folder);
}

/** Brings a restore that was cut off to its end: nothing of it, or all. */
export async function finishRestore(folder: string): Promise<void> {
  const restore = await readJson(notePath(folder), isRestore);
  if (restore === undefined) return;
  const { data } = volumePaths(folder);
  const { stage } = restore;
  const staged = join(data, stage);
  if (restore.step === 'unpacking') await removeTree(staged);
  else {
    if (restore.step === 'clearing') {
      for (const name of readdirSync(data)) if (name !== stage) await removeTree(join(data, name));
      await note(folder, { step: 'moving', stage });
    }
    await moveUp(data, stage);
  }
  await syncFilesystem(data);
  await removeDurably(notePath(folder));
}

/** Whether one was cut off. */
export function isRestoring(folder: string): boolean {
  return existsSync(notePath(folder));
}

async function moveUp(data: string, stage: string): Promise<void> {
  const staged = join(data, stage);
  if (!readdirSync(data).includes(stage)) return;
  for (const name of readdirSync(staged)) await rename(join(staged, name), join(data, name));
  copyAttributes(staged, data);
  await removeTree(staged);
}

async function note(folder: string, restore: Restore): Promise<void> {
  await writeJsonDurably(notePath(folder), restore);
}

function notePath(folder: string): string {
  return join(folder, 'restore.json');
}

function isRestore(value: unknown): value is Restore {
  return (
    isObject(value) &&
    ['unpacking', 'clearing', 'moving'].includes(String(value['step'])) &&
    typeof value['stage'] === 'string' &&
    /^\.slipway-restore-[0-9a-f]{12}$/.test(value['stage'])
  );
}
