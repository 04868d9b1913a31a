import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** After a sweep there is room for more, so that not every blob costs one. */
const sweptShare = 0.9;

interface Blob {
  readonly path: string;
  readonly sizeBytes: number;
  readonly usedMs: number;
}

/** Keeps the blobs of a cache within a budget: what was not used for longest goes, and is fetched again when asked for. */
export class CacheBudget {
  readonly #folder: string;
  readonly #budgetBytes: number;
  #heldBytes = 0;

  private constructor(folder: string, budgetBytes: number) {
    this.#folder = folder;
    this.#budgetBytes = budgetBytes;
  }

  static async open(folder: string, budgetBytes: number): Promise<CacheBudget> {
    const budget = new CacheBudget(folder, budgetBytes);
    await budget.#sweep();
    return budget;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  async add(sizeBytes: number): Promise<void> {
    this.#heldBytes += sizeBytes;
    if (this.#heldBytes > this.#budgetBytes) await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const blobs = await listBlobs(this.#folder);
    this.#heldBytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (this.#heldBytes <= this.#budgetBytes) return;
    for (const { path, sizeBytes } of blobs.toSorted((one, other) => one.usedMs - other.usedMs)) {
      if (this.#heldBytes <= this.#budgetBytes * sweptShare) return;
      await rm(path, { force: true });
      this.#heldBytes -= sizeBytes;
    }
  }
}

/** The blobs of a folder `<hh>/<hex>`. */
export async function listBlobs(folder: string): Promise<readonly Blob[]> {
  const blobs: Blob[] = [];
  for (const shard of await readdir(folder)) {
    for (const name of await readdir(join(folder, shard))) {
      const path = join(folder, shard, name);
      const { size, mtimeMs } = await stat(path);
      blobs.push({ path, sizeBytes: size, usedMs: mtimeMs });
    }
  }
  return blobs;
}
