import type { Upload, Uploads } from '../../uploads.ts';

/** Folders that are kept between builds; the one that was not used for longest goes first. */
const maximumKept = 16;

interface Kept {
  readonly folder: Upload;
  inUse: boolean;
}

/**
 * The clients' folders as they were last, so that the next build asks only for what has changed. Nothing of it outlives
 * the daemon.
 */
export class ContextStore {
  readonly #uploads: Uploads;
  /** In the order of use, the latest last. */
  readonly #kept = new Map<string, Kept>();

  constructor(uploads: Uploads) {
    this.#uploads = uploads;
  }

  /** The folder of a key; one of its own while another build uses that. Disposing gives it back. */
  async lease(key: string): Promise<Upload> {
    const known = this.#kept.get(key);
    if (known?.inUse === true) return await this.#uploads.create();
    // Nothing is awaited between looking and taking; a second build that comes meanwhile gets a folder of its own.
    const kept = known ?? { folder: await this.#uploads.create(), inUse: false };
    if (known === undefined && this.#kept.has(key)) return kept.folder;
    kept.inUse = true;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return {
      path: kept.folder.path,
      [Symbol.asyncDispose]: async () => {
        kept.inUse = false;
        await this.#evict();
      },
    };
  }

  async #evict(): Promise<void> {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size <= maximumKept) return;
      if (kept.inUse) continue;
      this.#kept.delete(key);
      await kept.folder[Symbol.asyncDispose]();
    }
  }
}
