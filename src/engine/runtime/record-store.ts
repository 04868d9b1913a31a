import { mkdirSync, readdirSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isDiskFull, messageOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { DiskReserve } from '#sys/disk-reserve.ts';
import { readJson, removeDurably, removeTemporaries, writeJsonDurably } from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';

import { type ContainerRecord, isContainerRecord } from './record.ts';

const suffix = '.json';
const damagedSuffix = '.damaged';
const draftName = '.draft.tmp';
const reserveName = '.reserve';
/** Room for records that replace others; a record has some kilobytes. */
const reserveBytes = 1024 * 1024;

/**
 * The containers' records, one file each. `save` outlives loss of power, `note` outlives this process only: for what the
 * world itself tells after a reboot. Writers of one container must take turns.
 */
export class RecordStore {
  readonly #folder: string;
  readonly #unwrittenFolder: string;
  readonly #logger: Logger;
  /** Facts are written on a full disk, too. */
  readonly #reserve: DiskReserve;
  /** IDs of containers of which the latest is in the other folder. */
  readonly #unwritten = new Set<string>();

  /** `unwrittenFolder`: on another disk, where facts wait that found this one full; it may be gone after a reboot. */
  constructor(folder: string, unwrittenFolder: string, logger: Logger) {
    this.#folder = folder;
    this.#unwrittenFolder = unwrittenFolder;
    this.#logger = logger;
    this.#reserve = new DiskReserve(join(folder, reserveName), reserveBytes);
  }

  /** Reads all records; one that cannot be read is reported and moved aside, so that it stops nobody. */
  async load(): Promise<readonly ContainerRecord[]> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    await removeTemporaries(this.#folder);
    this.#removeDraft();
    this.#reserve.take();
    const records: ContainerRecord[] = [];
    for (const name of readdirSync(this.#folder).filter((file) => file.endsWith(suffix))) {
      const record = await this.#read(name);
      if (record !== undefined) records.push(record);
    }
    return await Promise.all(records.map(async (record) => await this.#withFact(record)));
  }

  async save(record: ContainerRecord): Promise<void> {
    await writeJsonDurably(this.#path(record.id), record);
    this.#written(record.id);
  }

  note(record: ContainerRecord): void {
    // Synchronous, so one draft name serves all.
    const draft = join(this.#folder, draftName);
    writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    renameSync(draft, this.#path(record.id));
    this.#written(record.id);
  }

  /**
   * Like `save`, for what happened already and must be followed: a full disk has room kept for it; when that is gone, too,
   * it is reported, and stops nothing.
   */
  async saveFact(record: ContainerRecord): Promise<void> {
    try {
      return await this.save(record);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    this.#reserve.give();
    await this.save(record).catch((error: unknown) => this.#reportFull(record, error));
    this.#reserve.take();
  }

  /** `note` for what happened already. */
  noteFact(record: ContainerRecord): void {
    try {
      return this.note(record);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    this.#reserve.give();
    try {
      this.note(record);
    } catch (error) {
      this.#reportFull(record, error);
    }
    this.#reserve.take();
  }

  async remove(id: string): Promise<void> {
    await removeDurably(this.#path(id));
    this.#written(id);
  }

  /** Like `remove`, but may come back after loss of power: for containers that are removed then anyway. */
  forget(id: string): void {
    this.#written(id);
    try {
      unlinkSync(this.#path(id));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** Keeps the fact on the other disk, where the next daemon finds it. */
  #reportFull(record: ContainerRecord, error: unknown): void {
    if (!isDiskFull(error)) throw error;
    const { id } = record;
    this.#logger.error('disk is full: state of a container is not written', { container: id, error: messageOf(error) });
    try {
      mkdirSync(this.#unwrittenFolder, { recursive: true, mode: 0o700 });
      const draft = join(this.#unwrittenFolder, draftName);
      writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 });
      renameSync(draft, this.#unwrittenPath(id));
      this.#unwritten.add(id);
    } catch (failure) {
      if (!isDiskFull(failure)) throw failure;
    }
  }

  /** The record, or what was to be written later than it; that is written now when it can be. */
  async #withFact(record: ContainerRecord): Promise<ContainerRecord> {
    const { id } = record;
    const [waiting, kept] = [this.#unwrittenPath(id), this.#path(id)].map((path) =>
      statSync(path, { bigint: true, throwIfNoEntry: false }),
    );
    if (waiting === undefined) return record;
    this.#unwritten.add(id);
    const fact = await readJson(this.#unwrittenPath(id), isContainerRecord).catch(() => undefined);
    if (fact?.id !== id || kept === undefined || waiting.mtimeNs < kept.mtimeNs) {
      this.#written(id);
      return record;
    }
    await this.saveFact(fact);
    return fact;
  }

  #written(id: string): void {
    if (this.#unwritten.delete(id)) rmSync(this.#unwrittenPath(id), { force: true });
  }

  #unwrittenPath(id: string): string {
    return join(this.#unwrittenFolder, `${id}${suffix}`);
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
