import { join } from 'node:path';

import { KeyedLock } from '#base/keyed-lock.ts';
import type { Digest } from '#formats/oci.ts';

import type { LayerStore, PreparedLayer } from './layer-store.ts';
import type { Layer, LayerGroup } from './snapshots.ts';
import { chainIdOf, checkLayer, unpackLayer } from './unpack-layer.ts';
import type { UnpackThreads } from './unpack-threads.ts';

/** One key: unpacking looks into folders that committing moves. */
const turn = 'turn';

/** See `LayerGroup`: the layers wait in folders for what is being made, which the next start empties. */
export class UnpackedLayers implements LayerGroup {
  readonly #store: LayerStore;
  readonly #threads: UnpackThreads;
  readonly #lock = new KeyedLock();
  /** By chainID, in the order of their making. */
  readonly #waiting = new Map<Digest, PreparedLayer>();
  #owned = new AsyncDisposableStack();

  constructor(store: LayerStore, threads: UnpackThreads) {
    this.#store = store;
    this.#threads = threads;
  }

  async unpack(
    parent: Digest | undefined,
    tar: AsyncIterable<Uint8Array>,
    diffId: Digest | undefined,
    signal: AbortSignal,
  ): Promise<Layer> {
    return await this.#lock.run(turn, async () => {
      const known = diffId === undefined ? undefined : this.#find(chainIdOf(parent, diffId));
      if (known !== undefined && diffId !== undefined) {
        await checkLayer(tar, diffId, signal);
        return known;
      }
      if (parent === undefined || !this.#waiting.has(parent)) this.#owned.use(this.#store.hold(parent));
      const lowers = this.#lowersOf(parent);
      const folder = this.#owned.use(await this.#store.temporary()).path;
      const record = await unpackLayer(this.#threads, { folder, lowers, parent, tar, diffId }, signal);
      if (this.#find(record.chainId) === undefined) this.#waiting.set(record.chainId, { folder, record });
      return record;
    });
  }

  async commit(): Promise<void> {
    await this.#lock.run(turn, async () => {
      await this.#store.addAll([...this.#waiting.values()]);
      await this.#release();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock.run(turn, () => this.#release());
  }

  async #release(): Promise<void> {
    this.#waiting.clear();
    const owned = this.#owned;
    this.#owned = new AsyncDisposableStack();
    await owned.disposeAsync();
  }

  #find(chainId: Digest): Layer | undefined {
    return this.#waiting.get(chainId)?.record ?? this.#store.get(chainId);
  }

  /** Absolute, top first. */
  #lowersOf(chainId: Digest | undefined): readonly string[] {
    const waiting = chainId === undefined ? undefined : this.#waiting.get(chainId);
    if (waiting !== undefined) return [join(waiting.folder, 'fs'), ...this.#lowersOf(waiting.record.parent)];
    return this.#store.lowersOf(chainId).map((lower) => join(this.#store.folder, lower));
  }
}
