import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { newId } from '#base/ids.ts';

/** A folder of one request's own; disposing deletes it. */
export interface Upload extends AsyncDisposable {
  readonly path: string;
}

/** Temporary folders for what clients send, below the engine's data. Leftovers of a crash are deleted at the next start. */
export class Uploads {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(dataDir: string): Promise<Uploads> {
    const root = join(dataDir, 'docker-uploads');
    await rm(root, { recursive: true, force: true });
    await mkdir(root, { recursive: true, mode: 0o700 });
    return new Uploads(root);
  }

  async create(): Promise<Upload> {
    const path = join(this.#root, newId());
    await mkdir(path);
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  }
}
