import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { nowMs } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';
import { measureTree } from '#sys/tree/measure-tree.ts';

export interface CacheMountRequest {
  readonly id: string;
  /** `private`: another folder while this one is in use; `locked`: waits for it. */
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Fills a new one. */
  readonly fill: (folder: string) => Promise<void>;
}

export interface CacheMount extends AsyncDisposable {
  readonly path: string;
}

export interface CacheMountUsage {
  readonly name: string;
  /** As the Dockerfile has it; '' when that is not known any more. */
  readonly id: string;
  readonly sizeBytes: number;
  readonly inUse: boolean;
  readonly createdAtMs: number;
  readonly usedAtMs: number;
}

/** Folders that are kept; the least recently used one goes first. */
const maxFolders = 200;

/**
 * The folders of `RUN --mount=type=cache`, which outlive builds: one per ID, and more for `private` ones that are in
 * use. A folder appears by rename when it is complete.
 */
export class CacheMounts {
  readonly #folder: string;
  readonly #users = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Deletes what an interrupted build left half made. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#folder))
      if (name.startsWith('.')) await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  async acquire(request: CacheMountRequest, signal: AbortSignal): Promise<CacheMount> {
    const name = await this.#reserve(request, signal);
    try {
      const path = join(this.#folder, name);
      await this.#make(path, request);
      await utimes(path, nowMs() / 1000, nowMs() / 1000);
      await this.#evict();
      return { path: join(path, 'data'), [Symbol.asyncDispose]: async () => this.#release(name) };
    } catch (error) {
      this.#release(name);
      throw error;
    }
  }

  async list(signal: AbortSignal): Promise<readonly CacheMountUsage[]> {
    const names = (await readdir(this.#folder)).filter((name) => !name.startsWith('.'));
    const found = await Promise.all(names.map((name) => this.#usageOf(name, signal)));
    return found.filter((usage) => usage !== undefined);
  }

  /** False when a build uses it now, or it is not there. */
  async remove(name: string): Promise<boolean> {
    const gone = this.#takeAway(name);
    if (gone === undefined) return false;
    await rm(gone, { recursive: true, force: true });
    return true;
  }

  /** undefined: it went meanwhile. */
  async #usageOf(name: string, signal: AbortSignal): Promise<CacheMountUsage | undefined> {
    const path = join(this.#folder, name);
    try {
      const [{ birthtimeMs, mtimeMs }, id, sizeBytes] = await Promise.all([
        stat(path),
        readFile(join(path, 'id'), 'utf8').catch(() => ''),
        measureTree(join(path, 'data'), signal),
      ]);
      return { name, id, sizeBytes, inUse: this.#users.has(name), createdAtMs: birthtimeMs, usedAtMs: mtimeMs };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Picks a folder's name and counts as its user, at once: nothing may be awaited between looking and counting. */
  async #reserve({ id, sharing }: CacheMountRequest, signal: AbortSignal): Promise<string> {
    const name = createHash('sha256').update(id).digest('hex').slice(0, 32);
    let chosen = name;
    if (sharing === 'locked') while (this.#users.has(name)) await this.#released(name, signal);
    if (sharing === 'private')
      for (let copy = 1; this.#users.has(chosen); copy += 1) chosen = `${name}-${String(copy)}`;
    this.#users.set(chosen, (this.#users.get(chosen) ?? 0) + 1);
    return chosen;
  }

  async #released(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), resolve]);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    signal.throwIfAborted();
  }

  #release(name: string): void {
    const users = (this.#users.get(name) ?? 1) - 1;
    if (users > 0) {
      this.#users.set(name, users);
      return;
    }
    this.#users.delete(name);
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    for (const wake of waiting) wake();
  }

  async #make(path: string, { id, mode, uid, gid, fill }: CacheMountRequest): Promise<void> {
    if (await exists(path)) return;
    const draft = join(this.#folder, `.${newId().slice(0, 16)}`);
    const data = join(draft, 'data');
    await mkdir(data, { recursive: true, mode: 0o700 });
    try {
      await writeFile(join(draft, 'id'), id);
      await fill(data);
      await chown(data, uid, gid);
      await chmod(data, mode);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      // Another build was faster.
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }

  async #evict(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => !name.startsWith('.'));
    if (names.length <= maxFolders) return;
    const used = await Promise.all(
      names.map(async (name) => ({ name, atMs: (await stat(join(this.#folder, name))).mtimeMs })),
    );
    used.sort((one, other) => one.atMs - other.atMs);
    let tooMany = names.length - maxFolders;
    for (const { name } of used) {
      const gone = tooMany > 0 ? this.#takeAway(name) : undefined;
      if (gone === undefined) continue;
      tooMany -= 1;
      await rm(gone, { recursive: true, force: true });
    }
  }

  /** Renames first: nobody is handed a folder that is being deleted. undefined: it is in use or gone. */
  #takeAway(name: string): string | undefined {
    if (this.#users.has(name)) return undefined;
    const gone = join(this.#folder, `.${newId().slice(0, 16)}`);
    try {
      renameSync(join(this.#folder, name), gone);
      return gone;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    },
  );
}
