import { mkdirSync } from 'node:fs';
import { readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';

import { nowMs } from '#base/clock.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import { hexOf } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';

export interface BlobCacheOptions {
  /** Absolute; this cache's own. */
  readonly path: string;
  /** Bytes that whole blobs and broken downloads may take together. */
  readonly budgetBytes: number;
}

interface Entry {
  readonly sizeBytes: number;
  readonly usedMs: number;
}

const partSuffix = '.part';
const entryName = /^[0-9a-f]{64}(?:\.part)?$/;
/** A broken download that nobody took up for so long is given up. */
const partAgeMostMs = 24 * 60 * 60_000;

/**
 * Compressed layers as registries and archives gave them: `<hex>` whole, `<hex>.part` while it comes, which a later pull
 * takes up, also after a crash. A cache: what was not used for longest goes when the budget is passed, or half of the disk
 * that would be free without it; bytes are checked by whoever reads them.
 */
export class BlobCache {
  readonly #options: BlobCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #holds = new Map<string, number>();
  readonly #locks = new KeyedLock();

  constructor(options: BlobCacheOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { path } = this.#options;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    for (const name of await readdir(path)) {
      const { size, mtimeMs } = await stat(join(path, name));
      const isStale = name.endsWith(partSuffix) && nowMs() - mtimeMs > partAgeMostMs;
      if (isStale || !entryName.test(name)) await rm(join(path, name), { recursive: true, force: true });
      else this.#entries.set(name, { sizeBytes: size, usedMs: mtimeMs });
    }
    await this.#evict();
  }

  /** Bytes on disk, for accounts. */
  get sizeBytes(): number {
    return [...this.#entries.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  has(digest: Digest): boolean {
    return this.#entries.has(hexOf(digest));
  }

  /** Where the whole blob is, when it is there. */
  pathOf(digest: Digest): string {
    return join(this.#options.path, hexOf(digest));
  }

  /** Where a download of it is collected. */
  partPathOf(digest: Digest): string {
    return this.pathOf(digest) + partSuffix;
  }

  /** Keeps a blob, whole or coming, until disposed, whatever the budget says. */
  hold(digest: Digest): AsyncDisposable {
    const hex = hexOf(digest);
    this.#holds.set(hex, (this.#holds.get(hex) ?? 0) + 1);
    return {
      [Symbol.asyncDispose]: async () => {
        const left = (this.#holds.get(hex) ?? 1) - 1;
        if (left > 0) this.#holds.set(hex, left);
        else this.#holds.delete(hex);
        await this.#take(`${hex}${partSuffix}`);
        await this.#evict();
      },
    };
  }

  /** Runs `work` while nobody else writes this blob. */
  async exclusively<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    return await this.#locks.run(digest, work);
  }

  /** Takes a verified file in as the whole blob; the file must lie on the same filesystem. */
  async adopt(digest: Digest, path: string): Promise<void> {
    await rename(path, this.pathOf(digest));
    this.#entries.delete(hexOf(digest) + partSuffix);
    await this.#take(hexOf(digest));
    await this.#evict();
  }

  /** Notes that a blob was of use. */
  async touch(digest: Digest): Promise<void> {
    const now = nowMs() / 1000;
    await utimes(this.pathOf(digest), now, now).catch(() => {});
    await this.#take(hexOf(digest));
  }

  async remove(digest: Digest): Promise<void> {
    await this.#drop(hexOf(digest));
    await this.#drop(hexOf(digest) + partSuffix);
  }

  /** Gives back all disk that nothing under way needs. */
  async clear(): Promise<void> {
    for (const name of this.#entries.keys()) if (!this.#isHeld(name)) await this.#drop(name);
  }

  async #take(name: string): Promise<void> {
    const found = await stat(join(this.#options.path, name)).catch(() => undefined);
    if (found === undefined) this.#entries.delete(name);
    else this.#entries.set(name, { sizeBytes: found.size, usedMs: found.mtimeMs });
  }

  async #evict(): Promise<void> {
    const { path, budgetBytes } = this.#options;
    const { bavail, bsize } = await statfs(path);
    let heldBytes = this.sizeBytes;
    const limitBytes = Math.min(budgetBytes, (bavail * bsize + heldBytes) / 2);
    const oldest = [...this.#entries].toSorted(([, one], [, other]) => one.usedMs - other.usedMs);
    for (const [name, { sizeBytes }] of oldest) {
      if (heldBytes <= limitBytes) return;
      if (this.#isHeld(name)) continue;
      await this.#drop(name);
      heldBytes -= sizeBytes;
    }
  }

  async #drop(name: string): Promise<void> {
    this.#entries.delete(name);
    await rm(join(this.#options.path, name), { force: true });
  }

  #isHeld(name: string): boolean {
    return this.#holds.has(name.replace(partSuffix, ''));
  }
}
