import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import {
  makeFolderDurably,
  readJson,
  removeDurably,
  removeTemporaries,
  syncFolder,
  writeJsonDurably,
} from '#sys/durable-file.ts';

import { isNetworkDefinition, type NetworkDefinition } from './network-definition.ts';

/** The definitions of networks on disk, a file each, in `folder`. */
export class DefinitionStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** In the order they were made. A file that cannot be read is moved into `damaged/` and reported; the others load. */
  async load(logger: Logger): Promise<readonly NetworkDefinition[]> {
    await makeFolderDurably(this.#folder);
    await removeTemporaries(this.#folder);
    const definitions: NetworkDefinition[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith('.json')) continue;
      try {
        const definition = await readJson(join(this.#folder, name), isNetworkDefinition);
        if (definition !== undefined) definitions.push(definition);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        await this.#moveAside(name);
        logger.error('a network definition is damaged and is set aside', { file: name, error });
      }
    }
    return definitions.toSorted(inOrderOfBirth);
  }

  async save(definition: NetworkDefinition): Promise<void> {
    await writeJsonDurably(this.#path(definition.id), definition);
  }

  async remove(id: string): Promise<void> {
    await removeDurably(this.#path(id));
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  async #moveAside(name: string): Promise<void> {
    const aside = join(this.#folder, 'damaged');
    await mkdir(aside, { recursive: true });
    await rename(join(this.#folder, name), join(aside, name));
    await syncFolder(this.#folder);
  }
}

function inOrderOfBirth(one: NetworkDefinition, other: NetworkDefinition): number {
  return one.createdAtMs - other.createdAtMs || (one.name < other.name ? -1 : 1);
}
