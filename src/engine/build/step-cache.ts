import { appendFile, readFile } from 'node:fs/promises';

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
}

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
    const record = this.#records.get(key);
    if (record === undefined) return undefined;
    this.#records.delete(key);
    this.#records.set(key, record);
    this.#used.add(key);
    return record;
  }

  /** Remembers a step; returns what had to make room for it. */
  async add(record: StepRecord): Promise<readonly StepRecord[]> {
    this.#records.delete(record.key);
    this.#records.set(record.key, record);
    this.#used.delete(record.key);
    const removed = this.#evict();
    await this.#append([lineOf(record), ...removed.map((old) => JSON.stringify({ key: old.key, removed: true }))]);
    return removed;
  }

  /** Forgets a step whose layer is gone. */
  async forget(key: string): Promise<void> {
    if (this.#records.delete(key)) await this.#append([JSON.stringify({ key, removed: true })]);
  }

  async clear(): Promise<readonly StepRecord[]> {
    const all = this.records();
    this.#records.clear();
    this.#used.clear();
    await this.#locked(() => this.#compact());
    return all;
  }

  records(): readonly StepRecord[] {
    return [...this.#records.values()];
  }

  /** Writes down which records were used since, for the order in which they leave. */
  async flush(): Promise<void> {
    if (this.#used.size === 0) return;
    const keys = [...this.#used];
    this.#used.clear();
    await this.#append([JSON.stringify({ used: keys })]);
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

function lineOf({ key, chainId, createdAtMs }: StepRecord): string {
  return JSON.stringify({ key, chainId: chainId ?? null, createdAtMs });
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
  const { key, chainId, createdAtMs, removed, used } = entry;
  for (const name of Array.isArray(used) ? (used as unknown[]) : []) {
    const record = records.get(String(name));
    if (record === undefined) continue;
    records.delete(record.key);
    records.set(record.key, record);
  }
  if (typeof key !== 'string') return;
  records.delete(key);
  if (removed === true || typeof createdAtMs !== 'number') return;
  if (chainId === null) records.set(key, { key, chainId: undefined, createdAtMs });
  else if (typeof chainId === 'string' && isDigest(chainId)) records.set(key, { key, chainId, createdAtMs });
}
