import { existsSync, renameSync } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { sleep } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/logger.ts';
import { type Digest, isDigest } from '#formats/oci.ts';
import { makeFolderDurably, readJson, removeDurably, syncFolder, writeJsonDurably } from '#sys/durable-file.ts';
import { syncFilesystem } from '#sys/files.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import type { Displaced } from './layer-unpacker.ts';
import { LowerView } from './lower-view.ts';
import type { Layer } from './snapshots.ts';

/** What `layer.json` holds. */
export interface LayerRecord extends Layer {
  /** `archive`: packed by its recipe; `files`: packed from the folder alone. */
  readonly source: 'archive' | 'files';
  readonly displaced: readonly Displaced[];
}

/** A layer with its files in a folder outside the store. */
export interface PreparedLayer {
  readonly folder: string;
  readonly record: LayerRecord;
}

interface StoredLayer {
  readonly record: LayerRecord;
  /** Name of its folder: short, so that many fit into the options of a mount. */
  readonly number: string;
  /** What is wrong with it, when it was found to be damaged. */
  readonly damage?: string | undefined;
}

/** In a layer's folder: what is wrong with it. */
const damageFile = 'damage.json';

/** Removing is work for the disk that nobody waits for: whoever asked for it gets the answer first. */
const afterAnswerMs = 50;
const never = new AbortController().signal;

/**
 * The committed layers: `layers/<number>/` with `fs`, `layer.json` and for foreign archives `recipe.zst` and `extra`. A
 * layer appears there by one rename, after everything in it is on the disk.
 */
export class LayerStore implements AsyncDisposable {
  readonly #layersDir: string;
  readonly #temporaryDir: string;
  readonly #layers = new Map<Digest, StoredLayer>();
  readonly #users = new Map<Digest, number>();
  readonly #logger: Logger;
  readonly #removals = new Set<Promise<void>>();
  #lastNumber = 0;

  private constructor(dataDir: string, logger: Logger) {
    this.#logger = logger;
    this.#layersDir = join(dataDir, 'layers');
    this.#temporaryDir = join(dataDir, 'tmp');
  }

  static async open(dataDir: string, logger: Logger): Promise<LayerStore> {
    const store = new LayerStore(dataDir, logger);
    await makeFolderDurably(store.#layersDir);
    await makeFolderDurably(store.#temporaryDir);
    for (const name of await readdir(store.#temporaryDir)) await removeTree(join(store.#temporaryDir, name));
    for (const number of await readdir(store.#layersDir)) await store.#load(number);
    for (const { record } of store.#layers.values()) if (record.parent !== undefined) store.#use(record.parent, 1);
    return store;
  }

  /** Where the numbers of layers are folders: what relative lower folders start from. */
  get folder(): string {
    return this.#layersDir;
  }

  get(chainId: Digest): LayerRecord | undefined {
    return this.#layers.get(chainId)?.record;
  }

  list(): readonly LayerRecord[] {
    return [...this.#layers.values()].map(({ record }) => record);
  }

  /** The layer's own folder. Throws NotFound. */
  folderOf(chainId: Digest): string {
    return join(this.#layersDir, this.#stored(chainId).number);
  }

  /** Folders from the top down, relative to `folder`. Throws NotFound when one is missing. */
  lowersOf(chainId: Digest | undefined): readonly string[] {
    const lowers: string[] = [];
    for (let next = chainId; next !== undefined;) {
      const { record, number } = this.#stored(next);
      lowers.push(`${number}/fs`);
      next = record.parent;
    }
    return lowers;
  }

  /** Throws Damaged when a layer or one below it is known to be damaged, or has no files any more. */
  checkUsable(chainId: Digest | undefined): void {
    for (let next = chainId; next !== undefined;) {
      const { record, number, damage } = this.#stored(next);
      const isGone = !existsSync(join(this.#layersDir, number, 'fs'));
      if (isGone || damage !== undefined) {
        const why = damage ?? 'its files are gone';
        const way = 'remove the images that have it and their containers, then pull or build them again';
        throw new StatusError('Damaged', `Cannot use layer "${record.diffId}": ${why}; ${way} (slipway image verify)`);
      }
      next = record.parent;
    }
  }

  /** Remembers, durably, that a layer is damaged, or that it is not. Throws NotFound. */
  async noteDamage(chainId: Digest, damage: string | undefined): Promise<void> {
    const stored = this.#stored(chainId);
    if (stored.damage === damage) return;
    const path = join(this.#layersDir, stored.number, damageFile);
    if (damage === undefined) await removeDurably(path);
    else await writeJsonDurably(path, { damage });
    this.#layers.set(chainId, { ...stored, damage });
  }

  viewOf(chainId: Digest | undefined): LowerView {
    return new LowerView(this.lowersOf(chainId).map((lower) => join(this.#layersDir, lower)));
  }

  numberOf(chainId: Digest): string {
    return this.#stored(chainId).number;
  }

  /** The layer of a folder's number. */
  byNumber(number: string): Digest | undefined {
    for (const [chainId, stored] of this.#layers) if (stored.number === number) return chainId;
    return undefined;
  }

  /** Keeps a layer from being removed until it is disposed. Throws NotFound. */
  hold(chainId: Digest | undefined): Disposable {
    if (chainId === undefined) return { [Symbol.dispose]: () => {} };
    this.#stored(chainId);
    this.#use(chainId, 1);
    return { [Symbol.dispose]: () => this.#use(chainId, -1) };
  }

  /** An empty folder to prepare something in; disposing removes it with what is still in it. */
  async temporary(): Promise<AsyncDisposable & { readonly path: string }> {
    const path = join(this.#temporaryDir, newId().slice(0, 12));
    await mkdir(path, { mode: 0o700 });
    return { path, [Symbol.asyncDispose]: () => removeTree(path) };
  }

  /**
   * The folder is gone from its place on return, also after loss of power when `durably`; what is in it follows in the
   * background, or at the next start.
   */
  async discard(folder: string, durably: boolean): Promise<void> {
    const gone = join(this.#temporaryDir, newId().slice(0, 12));
    await rename(folder, gone);
    if (durably) await syncFolder(dirname(folder));
    const removal = sleep(afterAnswerMs, never)
      .then(() => removeTree(gone))
      .catch((error: unknown) => this.#logger.warn('discarded folder stays until the next start', { gone, error }))
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** Resolves when nothing is removed in the background any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#removals);
  }

  /**
   * Takes a prepared folder in, durably. When the layer exists already, it is returned and the folder stays where it is.
   */
  async add(folder: string, record: LayerRecord): Promise<LayerRecord> {
    using _ = this.hold(record.parent);
    await this.addAll([{ folder, record }]);
    return this.#stored(record.chainId).record;
  }

  /**
   * Takes prepared folders in, each after its parent, with one wait for the disk: they appear when all are on it. Those
   * that exist already stay where they are. The caller holds the parents.
   */
  async addAll(prepared: readonly PreparedLayer[]): Promise<void> {
    const [first] = prepared;
    if (first === undefined) return;
    for (const { folder, record } of prepared) await writeFile(join(folder, 'layer.json'), JSON.stringify(record));
    await syncFilesystem(first.folder);
    for (const { folder, record } of prepared) {
      if (this.get(record.chainId) !== undefined) continue;
      this.#lastNumber += 1;
      const number = this.#lastNumber.toString(36);
      renameSync(folder, join(this.#layersDir, number));
      this.#layers.set(record.chainId, { record, number });
      if (record.parent !== undefined) this.#use(record.parent, 1);
    }
    await syncFolder(this.#layersDir);
  }

  /** Throws Conflict while something stands on it; one that does not exist is fine. */
  async remove(chainId: Digest): Promise<void> {
    const stored = this.#layers.get(chainId);
    if (stored === undefined) return;
    if ((this.#users.get(chainId) ?? 0) > 0)
      throw new StatusError(
        'Conflict',
        `Cannot remove layer "${chainId}": another layer or a snapshot stands on it; remove that first`,
      );
    this.#layers.delete(chainId);
    if (stored.record.parent !== undefined) this.#use(stored.record.parent, -1);
    await this.discard(join(this.#layersDir, stored.number), true);
  }

  #stored(chainId: Digest): StoredLayer {
    const stored = this.#layers.get(chainId);
    if (stored === undefined)
      throw new StatusError(
        'NotFound',
        `Cannot find layer "${chainId}": it is not on this machine; pull its image again`,
      );
    return stored;
  }

  #use(chainId: Digest, change: 1 | -1): void {
    const users = (this.#users.get(chainId) ?? 0) + change;
    if (users === 0) this.#users.delete(chainId);
    else this.#users.set(chainId, users);
  }

  /** A folder without a readable record is left alone for a person to look at, and its number is not given again. */
  async #load(number: string): Promise<void> {
    const value = Number.parseInt(number, 36);
    if (value > this.#lastNumber) this.#lastNumber = value;
    try {
      const record = await readJson(join(this.#layersDir, number, 'layer.json'), isRecord);
      const found = await readJson(join(this.#layersDir, number, damageFile), isDamage);
      if (record !== undefined) this.#layers.set(record.chainId, { record, number, damage: found?.damage });
      else this.#logger.warn('layer folder without a record', { number });
    } catch (error) {
      this.#logger.error('layer is damaged', { number, error });
    }
  }
}

function isDamage(value: unknown): value is { readonly damage: string } {
  return isObject(value) && typeof value['damage'] === 'string';
}

function isRecord(value: unknown): value is LayerRecord {
  if (!isObject(value)) return false;
  const { chainId, diffId, parent, sizeBytes, source, displaced } = value;
  const hasDigests = [chainId, diffId, parent ?? chainId].every((one) => typeof one === 'string' && isDigest(one));
  return (
    hasDigests &&
    typeof sizeBytes === 'number' &&
    (source === 'archive' || source === 'files') &&
    Array.isArray(displaced)
  );
}
