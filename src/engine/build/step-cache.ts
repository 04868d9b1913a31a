import { appendFile, readFile } from 'node:fs/promises';

import { nowMs } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import { type Digest, isDigest } from '#formats/oci.ts';
import { hasCode } from '#sys/errno.ts';
import { writeDurably } from '#sys/durable-file.ts';

/** What a build step made last time. */
export interface StepRecord {
  readonly key: string;
  /** The layer on top after the step; undefined: it changed no file. */
  readonly chainId: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** The instruction, as the image's history has it. */
  readonly description: string;
  readonly usedAtMs: number;
  /** Builds that it served, the one that made it included. */
  readonly uses: number;
  /** A second key to the result of another record, which says nothing to other machines. */
  readonly isAlias: boolean;
}

export type NewRecord = Omit<StepRecord, 'usedAtMs' | 'uses'>;

/** What lists show of a description at most. */
const maxDescription = 1_000;

/** Steps that are remembered; the least recently used one goes first. */
export const maxRecords = 5_000;
/** Lines that the journal may have before it is written anew. */
const maxLines = 4 * maxRecords;

/**
 * The index of the build cache: step keys to layers. A journal of JSON lines, so that adding is one append: a crash
 * loses at most the last line, which is then not read. It promises nothing about layers: who finds a record checks that
 * its layer is still there.
 */
export class StepCache {
  readonly #path: string;
  /** In the order of use, the latest last. */
  readonly #records: Map<string, StepRecord>;
  readonly #used = new Set<string>();
  #lines: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, records: Map<string, StepRecord>, lines: number) {
    this.#path = path;
    this.#records = records;
    this.#lines = lines;
  }

  static async open(path: string): Promise<StepCache> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return '';
      throw error;
    });
    const lines = text.split('\n').filter((line) => line !== '');
    const records = new Map<string, StepRecord>();
    for (const line of lines) replay(records, line);
    const cache = new StepCache(path, records, lines.length);
    // A last line without its newline would swallow the next one.
    if (text !== '' && !text.endsWith('\n')) await cache.#compact();
    return cache;
  }

  find(key: string): StepRecord | undefined {
    const known = this.#records.get(key);
    if (known === undefined) return undefined;
    const record = used(known, nowMs(), this.#used.has(key) ? 0 : 1);
    this.#records.delete(key);
    this.#records.set(key, record);
    this.#used.add(key);
    return record;
  }

  /** The records whose steps made a layer. */
  makersOf(chainId: Digest): readonly StepRecord[] {
    return this.records().filter((record) => record.chainId === chainId && !record.isAlias);
  }

  /** Remembers a step; returns what had to make room for it. */
  async add(made: NewRecord): Promise<readonly StepRecord[]> {
    const description = made.description.slice(0, maxDescription);
    const record = { ...made, description, usedAtMs: made.createdAtMs, uses: 1 };
    this.#records.delete(record.key);
    this.#records.set(record.key, record);
    this.#used.delete(record.key);
    const removed = this.#evict();
    await this.#append([lineOf(record), ...removed.map((old) => JSON.stringify({ key: old.key, removed: true }))]);
    return removed;
  }

  /** Forgets steps: their layers are gone, or shall go. */
  async forget(keys: readonly string[]): Promise<void> {
    const known = keys.filter((key) => this.#records.delete(key));
    for (const key of known) this.#used.delete(key);
    if (known.length > 0) await this.#append(known.map((key) => JSON.stringify({ key, removed: true })));
  }

  records(): readonly StepRecord[] {
    return [...this.#records.values()];
  }

  /** Writes down which records were used since, for the order in which they leave. */
  async flush(): Promise<void> {
    if (this.#used.size === 0) return;
    const keys = [...this.#used];
    this.#used.clear();
    await this.#append([JSON.stringify({ used: keys, atMs: nowMs() })]);
  }

  #evict(): readonly StepRecord[] {
    const removed: StepRecord[] = [];
    for (const record of this.#records.values()) {
      if (this.#records.size <= maxRecords) break;
      this.#records.delete(record.key);
      removed.push(record);
    }
    return removed;
  }

  async #append(lines: readonly string[]): Promise<void> {
    await this.#locked(async () => {
      this.#lines += lines.length;
      if (this.#lines > maxLines) await this.#compact();
      else await appendFile(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 });
    });
  }

  async #compact(): Promise<void> {
    const lines = this.records().map((record) => `${lineOf(record)}\n`);
    await writeDurably(this.#path, lines.join(''));
    this.#lines = lines.length;
  }

  async #locked(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => {});
    await done;
  }
}

function lineOf(record: StepRecord): string {
  return JSON.stringify({ ...record, chainId: record.chainId ?? null });
}

function used(record: StepRecord, atMs: number, times: number): StepRecord {
  return { ...record, usedAtMs: Math.max(record.usedAtMs, atMs), uses: record.uses + times };
}

/** Takes one line of the journal up; one that makes no sense is left out. */
function replay(records: Map<string, StepRecord>, line: string): void {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return;
  }
  if (!isObject(entry)) return;
  const { key, chainId, createdAtMs, removed, used: names, atMs } = entry;
  for (const name of Array.isArray(names) ? (names as unknown[]) : []) {
    const record = records.get(String(name));
    if (record === undefined) continue;
    records.delete(record.key);
    records.set(record.key, used(record, numberOr(atMs, record.usedAtMs), 1));
  }
  if (typeof key !== 'string') return;
  records.delete(key);
  if (removed === true || typeof createdAtMs !== 'number') return;
  const description = typeof entry['description'] === 'string' ? entry['description'] : '';
  const usedAtMs = numberOr(entry['usedAtMs'], createdAtMs);
  const rest = {
    key,
    createdAtMs,
    description,
    usedAtMs,
    uses: numberOr(entry['uses'], 1),
    isAlias: entry['isAlias'] === true,
  };
  if (chainId === null) records.set(key, { ...rest, chainId: undefined });
  else if (typeof chainId === 'string' && isDigest(chainId)) records.set(key, { ...rest, chainId });
}

function numberOr(value: unknown, other: number): number {
  return typeof value === 'number' ? value : other;
}
