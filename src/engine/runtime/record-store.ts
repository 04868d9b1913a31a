import { mkdirSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isDiskFull, messageOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { readJson, removeDurably, removeTemporaries, writeJsonDurably } from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';

import { type ContainerRecord, isContainerRecord } from './record.ts';

const suffix = '.json';
const damagedSuffix = '.damaged';
const draftName = '.draft.tmp';

/**
 * The containers' records, one file each. `save` outlives loss of power, `note` outlives this process only: for what the
 * world itself tells after a reboot. Writers of one container must take turns.
 */
export class RecordStore {
  readonly #folder: string;
  readonly #logger: Logger;

  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Reads all records; one that cannot be read is reported and moved aside, so that it stops nobody. */
  async load(): Promise<readonly ContainerRecord[]> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    await removeTemporaries(this.#folder);
    this.#removeDraft();
    const records: ContainerRecord[] = [];
    for (const name of readdirSync(this.#folder).filter((file) => file.endsWith(suffix))) {
      const record = await this.#read(name);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  async save(record: ContainerRecord): Promise<void> {
    await writeJsonDurably(this.#path(record.id), record);
  }

  note(record: ContainerRecord): void {
    // Synchronous, so one draft name serves all.
    const draft = join(this.#folder, draftName);
    writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    renameSync(draft, this.#path(record.id));
  }

  /** Like `save`, for what happened already and must be followed: that the disk is full is reported, and stops nothing. */
  async saveFact(record: ContainerRecord): Promise<void> {
    await this.save(record).catch((error: unknown) => this.#reportFull(record, error));
  }

  /** `note` for what happened already. */
  noteFact(record: ContainerRecord): void {
    try {
      this.note(record);
    } catch (error) {
      this.#reportFull(record, error);
    }
  }

  async remove(id: string): Promise<void> {
    await removeDurably(this.#path(id));
  }

  /** Like `remove`, but may come back after loss of power: for containers that are removed then anyway. */
  forget(id: string): void {
    try {
      unlinkSync(this.#path(id));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  #reportFull({ id }: ContainerRecord, error: unknown): void {
    if (!isDiskFull(error)) throw error;
    this.#logger.error('disk is full: state of a container is not written', { container: id, error: messageOf(error) });
  }

  #path(id: string): string {
    return join(this.#folder, `${id}${suffix}`);
  }

  async #read(name: string): Promise<ContainerRecord | undefined> {
    const path = join(this.#folder, name);
    try {
      const record = await readJson(path, isContainerRecord);
      if (record === undefined || `${record.id}${suffix}` === name) return record;
      throw new StatusError('Damaged', `Cannot read file "${path}": it is of another container`);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#logger.error('container record is damaged and was moved aside', { path, error: messageOf(error) });
      renameSync(path, `${path}${damagedSuffix}`);
      return undefined;
    }
  }

  #removeDraft(): void {
    try {
      unlinkSync(join(this.#folder, draftName));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}
