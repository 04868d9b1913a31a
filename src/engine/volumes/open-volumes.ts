import { constants, existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { nowMs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import type { Logger } from '#base/logger.ts';
import {
  makeFolderDurably,
  readJson,
  removeDurably,
  removeTemporaries,
  syncFolder,
  writeDurably,
  writeJsonDurably,
} from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';
import { syncFilesystem } from '#sys/files.ts';
import { openInRoot, openPath, type RootedFile } from '#sys/rooted.ts';
import { copyTree } from '#sys/tree/copy-tree.ts';
import { measureTree } from '#sys/tree/measure-tree.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';
import { isOrdinaryXattr } from '#sys/tree/tree-entry.ts';

import type { EventLog } from '../events/event-log.ts';
import { defineVolume, isDefinition, sameOptions, type VolumeDefinition } from './volume-definition.ts';
import { mountVolume, unmountAll } from './volume-mount.ts';
import type { NewVolume, Volume, Volumes } from './volumes.ts';

export interface VolumesOptions {
  /** Folder of their own; each volume is `<name>/volume.json` and `<name>/_data`. */
  readonly dataDir: string;
  readonly events: EventLog;
  readonly logger: Logger;
}

/** Opens the volumes of a data folder; half-made and half-removed ones of an earlier life are cleared away. */
export async function openVolumes(options: VolumesOptions): Promise<Volumes & AsyncDisposable> {
  await makeFolderDurably(options.dataDir);
  const volumes = new LocalVolumes(options);
  await volumes.load();
  return volumes;
}

class LocalVolumes implements Volumes, AsyncDisposable {
  readonly #options: VolumesOptions;
  readonly #definitions = new Map<string, VolumeDefinition>();
  readonly #holders = new Map<string, Set<string>>();
  readonly #lock = new KeyedLock();
  readonly #work = new AbortController();

  constructor(options: VolumesOptions) {
    this.#options = options;
  }

  /** Reads the definitions; a folder without one was never acknowledged, a damaged one is left for a person. */
  async load(): Promise<void> {
    const { dataDir, logger } = this.#options;
    for (const name of await readdir(dataDir)) {
      const folder = join(dataDir, name);
      try {
        await removeTemporaries(folder);
        const definition = await readJson(join(folder, 'volume.json'), isDefinition);
        if (definition?.name === name) this.#definitions.set(name, definition);
        else if (definition === undefined) await this.#clear(folder);
        else logger.error('volume definition names another volume', { folder });
      } catch (error) {
        logger.error('volume is damaged and left alone', { folder, error });
      }
    }
  }

  get(name: string): Volume {
    const volume = this.find(name);
    if (volume === undefined) throw new StatusError('NotFound', `get ${name}: no such volume`);
    return volume;
  }

  find(name: string): Volume | undefined {
    const definition = this.#definitions.get(name);
    return definition === undefined ? undefined : { ...definition, mountpoint: this.#dataOf(name) };
  }

  list(): readonly Volume[] {
    return [...this.#definitions.keys()].map((name) => this.get(name));
  }

  async create(volume: NewVolume): Promise<Volume> {
    const definition = defineVolume(volume, nowMs());
    const { name } = definition;
    return this.#lock.run(name, async () => {
      const existing = this.find(name);
      if (existing !== undefined) return acceptExisting(existing, volume);
      const folder = join(this.#options.dataDir, name);
      try {
        await this.#makeFolders(folder);
        await writeJsonDurably(join(folder, 'volume.json'), definition);
        await syncFolder(this.#options.dataDir);
      } catch (error) {
        await removeTree(folder);
        throw error;
      }
      this.#definitions.set(name, definition);
      this.#options.events.publish('volume', 'create', name, { driver: 'local' });
      return this.get(name);
    });
  }

  async remove(name: string, force: boolean): Promise<void> {
    await this.#lock.run(name, async () => {
      const definition = this.#definitions.get(name);
      if (definition === undefined) {
        if (force) return;
        throw new StatusError('NotFound', `get ${name}: no such volume`);
      }
      const holders = this.holders(name);
      if (holders.length > 0)
        throw new StatusError('Conflict', `remove ${name}: volume is in use - [${holders.join(', ')}]`);
      unmountAll(this.#dataOf(name));
      await removeDurably(join(this.#options.dataDir, name, 'volume.json'));
      this.#definitions.delete(name);
      await removeTree(join(this.#options.dataDir, name));
      this.#options.events.publish('volume', 'destroy', name, { driver: 'local' });
    });
  }

  async prune(all: boolean): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }> {
    const removed: string[] = [];
    let freedBytes = 0;
    for (const { name, anonymous } of this.list()) {
      if ((!all && !anonymous) || this.holders(name).length > 0) continue;
      const sizeBytes = await this.sizeBytes(name, this.#work.signal);
      try {
        await this.remove(name, true);
      } catch (error) {
        // Somebody began to use it meanwhile: not ours to remove any more.
        if (error instanceof StatusError && error.reason === 'Conflict') continue;
        throw error;
      }
      freedBytes += sizeBytes;
      removed.push(name);
    }
    return { removed, freedBytes };
  }

  async sizeBytes(name: string, signal: AbortSignal): Promise<number> {
    return measureTree(this.get(name).mountpoint, signal);
  }

  hold(name: string, containerId: string): void {
    const holders = this.#holders.get(name) ?? new Set();
    this.#holders.set(name, holders.add(containerId));
  }

  release(name: string, containerId: string): void {
    const holders = this.#holders.get(name);
    holders?.delete(containerId);
    if (holders?.size === 0) this.#holders.delete(name);
  }

  holders(name: string): readonly string[] {
    return [...(this.#holders.get(name) ?? [])];
  }

  async open(name: string): Promise<string> {
    return this.#lock.run(name, async () => {
      const { mountpoint } = this.get(name);
      const definition = this.#definitions.get(name);
      if (definition !== undefined) mountVolume(definition, mountpoint);
      return mountpoint;
    });
  }

  async copyUp(name: string, root: string, path: string, signal: AbortSignal): Promise<void> {
    await this.#lock.run(name, async () => {
      const { mountpoint } = this.get(name);
      // Made before the first file and removed after the last is on the disk: a copy that was cut off is done again.
      const unfinished = join(this.#options.dataDir, name, 'copying');
      if (readdirSync(mountpoint).length > 0 && !existsSync(unfinished)) return;
      using source = openFolder(root, path);
      if (source === undefined) return;
      const hasContent = readdirSync(source.path).length > 0;
      if (hasContent) await writeDurably(unfinished, '');
      await copyTree({ from: source.path, root: mountpoint, path: '', keepsXattr: isOrdinaryXattr }, signal);
      if (!hasContent) return;
      await syncFilesystem(mountpoint);
      await removeDurably(unfinished);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#work.abort();
  }

  async #makeFolders(folder: string): Promise<void> {
    try {
      await mkdir(folder, { mode: 0o711 });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      throw new StatusError(
        'Damaged',
        `Cannot create volume: its folder "${folder}" exists without a readable definition; move it away`,
      );
    }
    await mkdir(join(folder, '_data'), { mode: 0o755 });
  }

  /** Removes the rest of a volume that was never acknowledged, or whose removal was. */
  async #clear(folder: string): Promise<void> {
    unmountAll(join(folder, '_data'));
    await removeTree(folder);
  }

  #dataOf(name: string): string {
    return join(this.#options.dataDir, name, '_data');
  }
}

function acceptExisting(existing: Volume, asked: NewVolume): Volume {
  const options = asked.options ?? {};
  if (Object.keys(options).length > 0 && !sameOptions(existing.options, options))
    throw new StatusError(
      'Conflict',
      `Cannot create volume "${existing.name}": it exists with other options; remove it first, or choose another name`,
    );
  return existing;
}

/** The folder at `path` inside `root`, undefined when there is none. */
function openFolder(root: string, path: string): RootedFile | undefined {
  try {
    return openInRoot(root, path, openPath | constants.O_DIRECTORY);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
