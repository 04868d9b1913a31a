import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { nowMs } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import type { Logger } from '#base/logger.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { readJson, removeDurably, removeTemporaries, writeJsonDurably } from '#sys/durable-file.ts';
import { isMountPoint } from '#sys/mount-info.ts';
import { diskUsage } from '#sys/tree/disk-usage.ts';
import { packTree } from '#sys/tree/pack-tree.ts';

import type { EventLog } from '../events/event-log.ts';
import { copyUp } from './copy-up.ts';
import { finishRestore, isRestoring, restoreData } from './restore-data.ts';
import { growImage, imageBytes } from './size-image.ts';
import {
  defineVolume,
  isDefinition,
  needsMount,
  sameOptions,
  sizeLimitOf,
  type VolumeDefinition,
} from './volume-definition.ts';
import { clearVolume, makeVolume, volumePaths } from './volume-folder.ts';
import { mountVolume, unmountAll } from './volume-mount.ts';
import type { NewVolume, Volume, Volumes } from './volumes.ts';

export interface VolumesOptions {
  /** Folder of their own; each volume is `<name>/volume.json` and `<name>/_data`. */
  readonly dataDir: string;
  readonly events: EventLog;
  readonly logger: Logger;
}

/** Names that somebody gave to volumes: of those who hold it, of those who have it open. */
class Users {
  readonly #users = new Map<string, Set<string>>();

  add(name: string, user: string): void {
    this.#users.set(name, (this.#users.get(name) ?? new Set()).add(user));
  }

  remove(name: string, user: string): void {
    const users = this.#users.get(name);
    users?.delete(user);
    if (users?.size === 0) this.#users.delete(name);
  }

  of(name: string): readonly string[] {
    return [...(this.#users.get(name) ?? [])];
  }
}

/** The local driver's volumes. See `Volumes` for what each method promises. */
export class LocalVolumes implements Volumes, AsyncDisposable {
  readonly #options: VolumesOptions;
  readonly #definitions = new Map<string, VolumeDefinition>();
  readonly #holders = new Users();
  readonly #users = new Users();
  readonly #lock = new KeyedLock();
  readonly #work = new AbortController();

  constructor(options: VolumesOptions) {
    this.#options = options;
  }

  /** Reads a definition; a folder without one was never acknowledged, a damaged one is left for a person. */
  async load(name: string): Promise<void> {
    const { logger } = this.#options;
    const folder = this.#folder(name);
    try {
      await removeTemporaries(folder);
      const definition = await readJson(volumePaths(folder).definition, isDefinition);
      const isHalf = existsSync(volumePaths(folder).filling);
      if (definition === undefined || isHalf) await clearVolume(folder);
      else if (definition.name !== name) logger.error('volume definition names another volume', { folder });
      else this.#definitions.set(name, definition);
    } catch (error) {
      logger.error('volume is damaged and left alone', { folder, error });
    }
  }

  get(name: string): Volume {
    const volume = this.find(name);
    if (volume === undefined) throw new StatusError('NotFound', `get ${name}: no such volume`);
    return volume;
  }

  find(name: string): Volume | undefined {
    const definition = this.#definitions.get(name);
    return definition === undefined ? undefined : { ...definition, mountpoint: this.#data(name) };
  }

  list(): readonly Volume[] {
    return [...this.#definitions.keys()].map((name) => this.get(name));
  }

  async create(volume: NewVolume): Promise<Volume> {
    return await this.#create(volume, false);
  }

  async #create(volume: NewVolume, isFilling: boolean): Promise<Volume> {
    const definition = defineVolume(volume, nowMs());
    const { name } = definition;
    return this.#lock.run(name, async () => {
      const existing = this.find(name);
      if (existing !== undefined) return acceptExisting(existing, volume);
      await makeVolume(this.#folder(name), definition, isFilling);
      this.#definitions.set(name, definition);
      this.#options.events.publish('volume', 'create', name, { driver: 'local' });
      return this.get(name);
    });
  }

  async remove(name: string, force: boolean): Promise<void> {
    await this.#lock.run(name, async () => {
      if (!this.#definitions.has(name)) {
        if (force) return;
        throw new StatusError('NotFound', `get ${name}: no such volume`);
      }
      const users = [...new Set([...this.holders(name), ...this.#users.of(name)])];
      if (users.length > 0)
        throw new StatusError('Conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
      unmountAll(this.#data(name));
      await removeDurably(volumePaths(this.#folder(name)).definition);
      this.#definitions.delete(name);
      await clearVolume(this.#folder(name));
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
    const definition = this.#definition(name);
    if (sizeLimitOf(definition) !== undefined) return imageBytes(this.#folder(name));
    return needsMount(definition) ? 0 : diskUsage(this.#data(name), signal);
  }

  status(name: string): Readonly<Record<string, string | number | boolean>> | undefined {
    const definition = this.#definition(name);
    if (!needsMount(definition)) return undefined;
    const limitBytes = sizeLimitOf(definition);
    return { Mounted: isMountPoint(this.#data(name)), ...(limitBytes !== undefined && { LimitBytes: limitBytes }) };
  }

  async resize(name: string, size: string): Promise<void> {
    const old = this.#definition(name);
    const next = { ...old, options: { ...old.options, size } };
    if (sizeLimitOf(old) === undefined)
      throw new StatusError(
        'InvalidArgument',
        `Cannot resize volume "${name}": it has no size; make one with --opt size=${size} and copy`,
      );
    defineVolume({ name, options: next.options }, old.createdAtMs);
    await this.#lock.run(name, async () => {
      // The file grows first: a definition that says less than the truth is mended by asking again.
      await growImage(name, this.#folder(name), sizeLimitOf(next) ?? 0);
      await writeJsonDurably(volumePaths(this.#folder(name)).definition, next);
      this.#definitions.set(name, next);
    });
  }

  hold(name: string, containerId: string): void {
    this.#holders.add(name, containerId);
  }

  release(name: string, containerId: string): void {
    this.#holders.remove(name, containerId);
  }

  holders(name: string): readonly string[] {
    return this.#holders.of(name);
  }

  async open(name: string, user: string, signal: AbortSignal): Promise<string> {
    return this.#lock.run(name, async () => {
      await mountVolume(this.#definition(name), this.#folder(name), signal);
      await finishRestore(this.#folder(name));
      this.#users.add(name, user);
      return this.#data(name);
    });
  }

  async close(name: string, user: string): Promise<void> {
    this.#users.remove(name, user);
    await this.#unmountUnused(name);
  }

  async closeUnused(): Promise<void> {
    for (const { name } of this.list()) {
      try {
        if (isRestoring(this.#folder(name))) await this.#opened(name, async () => {}, this.#work.signal);
        else await this.#unmountUnused(name);
      } catch (error) {
        // What it needs may be away, such as a server; the next use of it tries again.
        this.#options.logger.warn('restore of a volume is not finished', { volume: name, error });
      }
    }
  }

  async copyUp(name: string, root: string, path: string, signal: AbortSignal): Promise<void> {
    this.get(name);
    await this.#lock.run(name, async () => copyUp(this.#folder(name), root, path, signal));
  }

  async *backup(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const user = `backup-${newId().slice(0, 12)}`;
    await this.open(name, user, signal);
    try {
      // As tar -C DIR . names them; the folder itself has owner and mode, too.
      const transform = (entry: TarEntry): readonly TarEntry[] => [{ ...entry, path: `./${entry.path}` }];
      yield* packTree({ start: this.#data(name), keepsHoles: true, transform }, signal);
    } finally {
      await this.close(name, user);
    }
  }

  async restore(
    name: string,
    tar: AsyncIterable<Uint8Array>,
    { force }: { readonly force: boolean },
    signal: AbortSignal,
  ): Promise<Volume> {
    const isNew = this.find(name) === undefined;
    await this.#create({ name }, isNew);
    try {
      await this.#opened(
        name,
        async (user) =>
          this.#lock.run(name, async () => {
            this.#checkRestore(name, user, force);
            await restoreData(this.#folder(name), tar, signal);
            await removeDurably(volumePaths(this.#folder(name)).filling);
          }),
        signal,
      );
    } catch (error) {
      if (isNew && this.holders(name).length === 0) await this.remove(name, true);
      throw error;
    }
    return this.get(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#work.abort();
  }

  #checkRestore(name: string, self: string, force: boolean): void {
    const others = this.#users.of(name).filter((user) => user !== self);
    if (others.length > 0)
      throw new StatusError(
        'Conflict',
        `Cannot restore volume "${name}": it is in use by ${others.map((id) => id.slice(0, 12)).join(', ')}; stop them first`,
      );
    if (!force && readdirSync(this.#data(name)).length > 0)
      throw new StatusError(
        'Conflict',
        `Cannot restore volume "${name}": it is not empty; say --force to replace what is in it`,
      );
  }

  /** Runs work while the volume is open for it. */
  async #opened(name: string, work: (user: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    const user = `work-${newId().slice(0, 12)}`;
    await this.open(name, user, signal);
    try {
      await work(user);
    } finally {
      await this.close(name, user);
    }
  }

  async #unmountUnused(name: string): Promise<void> {
    await this.#lock.run(name, async () => {
      if (this.#users.of(name).length > 0 || !existsSync(this.#data(name))) return;
      const definition = this.#definitions.get(name);
      if (definition === undefined || !needsMount(definition)) return;
      try {
        unmountAll(this.#data(name));
      } catch (error) {
        this.#options.logger.warn('volume stays mounted', { volume: name, reason: messageOf(error) });
      }
    });
  }

  #definition(name: string): VolumeDefinition {
    const definition = this.#definitions.get(name);
    if (definition === undefined) throw new StatusError('NotFound', `get ${name}: no such volume`);
    return definition;
  }

  #folder(name: string): string {
    return join(this.#options.dataDir, name);
  }

  #data(name: string): string {
    return volumePaths(this.#folder(name)).data;
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
