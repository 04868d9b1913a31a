import { nowMs } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import type { ConcurrencyLimit } from '#base/limit.ts';
import type { Digest } from '#formats/oci.ts';
import type { Layer, Snapshots } from '../snapshots/snapshots.ts';
import type { NewRecord, StepCache, StepRecord } from './step-cache.ts';

/** Snapshots of build steps are named so; what is left of them at start is swept. */
export const snapshotPrefix = 'build-';

/** A layer of the cache was removed while a build stood on it: the build starts again. */
export class LayerGoneError extends Error {
  override readonly name = 'LayerGoneError';
}

/** What a step of files made; `layer` undefined: nothing changed. */
export interface StepOutcome {
  readonly layer: Layer | undefined;
  readonly createdAtMs: number;
  readonly cached: boolean;
}

export interface StepSnapshot extends AsyncDisposable {
  readonly id: string;
  /** Absolute path of its merged root. */
  readonly root: string;
}

/** Work on a writable root on top of `parent`. Returns false when it changed nothing and needs no layer. */
export interface StepWork {
  readonly parent: Digest | undefined;
  /** The same key makes the same files. */
  readonly key: string;
  readonly noCache: boolean;
  /** The instruction, as the image's history has it. */
  readonly description: string;
  /** Called once the step is really carried out. */
  run(snapshot: StepSnapshot, signal: AbortSignal): Promise<boolean>;
}

export interface LayerStepsOptions {
  readonly snapshots: Snapshots;
  readonly cache: StepCache;
  /** Shared by all builds: steps that work at once. */
  readonly limit: ConcurrencyLimit;
  /** Layers that the cache gave up to make room. */
  readonly onEvicted: (chainIds: readonly Digest[]) => Promise<void>;
}

/** Carries out steps that change files, each into a layer of its own, unless the cache has it. */
export class LayerSteps {
  readonly #options: LayerStepsOptions;
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(options: LayerStepsOptions) {
    this.#options = options;
  }

  /** The same step of two builds is carried out once; the second one waits and takes it from the cache. */
  async carryOut(work: StepWork, signal: AbortSignal): Promise<StepOutcome> {
    for (;;) {
      signal.throwIfAborted();
      const cached = work.noCache ? undefined : await this.find(work.key);
      if (cached !== undefined) return cached;
      const running = work.noCache ? undefined : this.#running.get(work.key);
      if (running === undefined) return await this.#alone(work, signal);
      await settledOrAborted(running, signal);
    }
  }

  /** What the cache has for a key; a record without its layer is forgotten. */
  async find(key: string): Promise<StepOutcome | undefined> {
    const { cache, snapshots } = this.#options;
    const record = cache.find(key);
    if (record === undefined) return undefined;
    const { chainId, createdAtMs } = record;
    if (chainId === undefined) return { layer: undefined, createdAtMs, cached: true };
    const layer = snapshots.layer(chainId);
    if (layer !== undefined) return { layer, createdAtMs, cached: true };
    await cache.forget([key]);
    return undefined;
  }

  /** The steps that made a layer, as the cache knows them. */
  makersOf(chainId: Digest): readonly StepRecord[] {
    return this.#options.cache.makersOf(chainId);
  }

  /** Notes what a step made, here or on another machine; its layer is here. */
  async adopt(record: NewRecord): Promise<void> {
    const evicted = await this.#options.cache.add(record);
    await this.#options.onEvicted(evicted.flatMap(({ chainId }) => chainId ?? []));
  }

  /** A writable root on a layer (undefined: on nothing) that is removed when disposed, unless it was committed. */
  async openSnapshot(parent: Digest | undefined): Promise<StepSnapshot> {
    const { snapshots } = this.#options;
    if (parent !== undefined && snapshots.layer(parent) === undefined)
      throw new LayerGoneError(`layer ${parent} was removed`);
    const id = snapshotPrefix + newId().slice(0, 24);
    await snapshots.create(id, parent);
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => snapshots.remove(id));
    const root = snapshots.mount(id, { volatile: true });
    const owned = cleanup.move();
    return { id, root, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }

  async #alone(work: StepWork, signal: AbortSignal): Promise<StepOutcome> {
    const made = this.#options.limit.run(() => this.#make(work, signal), signal);
    if (!work.noCache) this.#running.set(work.key, made);
    try {
      return await made;
    } finally {
      if (this.#running.get(work.key) === made) this.#running.delete(work.key);
    }
  }

  async #make(work: StepWork, signal: AbortSignal): Promise<StepOutcome> {
    const { snapshots } = this.#options;
    signal.throwIfAborted();
    await using snapshot = await this.openSnapshot(work.parent);
    const changed = await work.run(snapshot, signal);
    signal.throwIfAborted();
    const layer = changed ? await snapshots.commit(snapshot.id, signal) : undefined;
    const createdAtMs = nowMs();
    const { key, description } = work;
    await this.adopt({ key, chainId: layer?.chainId, createdAtMs, description, isAlias: false });
    return { layer, createdAtMs, cached: false };
  }
}

/** Waits until other work ends, well or not, or the own signal is aborted. */
async function settledOrAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort);
  try {
    await Promise.race([work.catch(() => {}), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
