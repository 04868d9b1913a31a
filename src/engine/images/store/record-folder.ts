import { readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { reasonOf } from '#base/errors.ts';
import { newId, shortId } from '#base/ids.ts';
import type { Logger } from '#base/logger.ts';
import {
  makeFolderDurably,
  readJson,
  removeDurably,
  removeTemporaries,
  writeAllJsonDurably,
  writeJsonDurably,
} from '#sys/durable-file.ts';

const suffix = '.json';

export interface RecordFolderOptions<T> {
  readonly path: string;
  /** Where records that cannot be read are moved to, so that nothing is lost and nothing stops. */
  readonly asidePath: string;
  readonly isValid: (value: unknown, key: string) => value is T;
  readonly logger: Logger;
}

/** Small records, one JSON file for each, durable when a promise resolves. Keys are hexadecimal. */
export class RecordFolder<T> {
  readonly #options: RecordFolderOptions<T>;

  constructor(options: RecordFolderOptions<T>) {
    this.#options = options;
  }

  /** Reads all records; a broken one is reported and moved aside. */
  async load(): Promise<Map<string, T>> {
    const { path, asidePath } = this.#options;
    await makeFolderDurably(path);
    await makeFolderDurably(asidePath);
    await removeTemporaries(path);
    const records = new Map<string, T>();
    for (const file of (await readdir(path)).toSorted()) {
      const key = basename(file, suffix);
      const record = await this.#read(file, key);
      if (record !== undefined) records.set(key, record);
    }
    return records;
  }

  async put(key: string, record: T): Promise<void> {
    await writeJsonDurably(this.#pathOf(key), record);
  }

  /** Each record on its own: a crash may keep some and not others. */
  async putAll(records: ReadonlyMap<string, T>): Promise<void> {
    const files = [...records].map(([key, record]) => [`${key}${suffix}`, record] as const);
    await writeAllJsonDurably(this.#options.path, new Map(files));
  }

  async remove(key: string): Promise<void> {
    await removeDurably(this.#pathOf(key));
  }

  /** Takes a record out of use without losing it. */
  async moveAside(key: string, why: string): Promise<void> {
    await this.#moveAside(`${key}${suffix}`, why);
  }

  async #read(file: string, key: string): Promise<T | undefined> {
    const { path, isValid } = this.#options;
    try {
      const valid = (value: unknown): value is T => isValid(value, key);
      return file.endsWith(suffix)
        ? await readJson(join(path, file), valid)
        : await this.#moveAside(file, 'a stray file');
    } catch (error) {
      if (reasonOf(error) !== 'Damaged') throw error;
      return await this.#moveAside(file, 'not the record it should be');
    }
  }

  async #moveAside(file: string, why: string): Promise<undefined> {
    const { path, asidePath, logger } = this.#options;
    const aside = join(asidePath, `${basename(path)}-${file}-${shortId(newId())}`);
    logger.error('moved a damaged record aside', { record: join(path, file), why, aside });
    await rename(join(path, file), aside);
  }

  #pathOf(key: string): string {
    return join(this.#options.path, `${key}${suffix}`);
  }
}
