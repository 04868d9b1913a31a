import { reasonOf } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { isObject } from '#base/json.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import { isDigest } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import type { LayerStore } from '../layer-store.ts';
import { RecordFolder } from './record-folder.ts';
import type { RecordFolderOptions } from './record-folder.ts';

interface IntentRecord {
  /** From the lowest to the topmost, chain after chain. */
  readonly chain: readonly Digest[];
}

export interface LayerKeeperOptions extends Omit<RecordFolderOptions<IntentRecord>, 'isValid'> {
  readonly snapshots: LayerStore;
  /** Whether an image stands on the layer. */
  readonly isReferenced: (chainId: Digest) => boolean;
  readonly onRemoved: (diffId: Digest) => Promise<void>;
}

/** The right to a chain of layers while they are made or taken away. */
export interface LayerIntent extends AsyncDisposable {
  /** Gives up the right and removes those layers that nothing stands on; returns them, the topmost first. */
  settle(): Promise<readonly { readonly chainId: Digest; readonly sizeBytes: number }[]>;
}

/**
 * Decides which layers may go. Work that makes layers for an image, or takes an image away, first notes the layers
 * durably (an intent) and holds them; when it ends, well or not, those that no image, hold, other layer or writable
 * snapshot needs are removed. A crash leaves the intent, which the next start settles.
 */
export class LayerKeeper {
  readonly #options: LayerKeeperOptions;
  readonly #intents: RecordFolder<IntentRecord>;
  readonly #holds = new Map<Digest, number>();
  readonly #locks = new KeyedLock();

  constructor(options: LayerKeeperOptions) {
    this.#options = options;
    this.#intents = new RecordFolder({ ...options, isValid: isIntent });
  }

  /** Settles what a crash interrupted. */
  async open(): Promise<void> {
    for (const [key, { chain }] of await this.#intents.load()) {
      await this.#sweep(chain);
      await this.#intents.remove(key);
    }
  }

  /** Keeps a layer, and so all below it, from being removed until disposed. */
  hold(chain: readonly Digest[]): Disposable {
    for (const chainId of chain) this.#holds.set(chainId, (this.#holds.get(chainId) ?? 0) + 1);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) for (const chainId of chain) this.#release(chainId);
        held = false;
      },
    };
  }

  async intend(chain: readonly Digest[]): Promise<LayerIntent> {
    const hold = this.hold(chain);
    const key = newId();
    try {
      await this.#intents.put(key, { chain });
    } catch (error) {
      hold[Symbol.dispose]();
      throw error;
    }
    const settle = async (): ReturnType<LayerIntent['settle']> => {
      hold[Symbol.dispose]();
      const removed = await this.#sweep(chain);
      await this.#intents.remove(key);
      return removed;
    };
    let settling: ReturnType<LayerIntent['settle']> | undefined;
    const settleOnce = (): ReturnType<LayerIntent['settle']> => (settling ??= settle());
    return { settle: settleOnce, [Symbol.asyncDispose]: async () => void (await settleOnce()) };
  }

  /** Runs `work` while nobody else makes or removes this layer. `work` may wait for lower layers, never for higher ones. */
  async exclusively<T>(chainId: Digest, work: () => Promise<T>): Promise<T> {
    return await this.#locks.run(chainId, work);
  }

  async #sweep(chain: readonly Digest[]): ReturnType<LayerIntent['settle']> {
    const removed: { chainId: Digest; sizeBytes: number }[] = [];
    for (const chainId of chain.toReversed()) {
      // Whoever holds it may be at it for long.
      if (this.#holds.has(chainId)) continue;
      const outcome = await this.exclusively(chainId, () => this.#removeUnneeded(chainId));
      if (typeof outcome === 'object') removed.push({ chainId, sizeBytes: outcome.sizeBytes });
    }
    return removed;
  }

  async #removeUnneeded(chainId: Digest): Promise<'needed' | 'absent' | { readonly sizeBytes: number }> {
    const { snapshots, isReferenced, onRemoved } = this.#options;
    if (this.#holds.has(chainId) || isReferenced(chainId)) return 'needed';
    const layer = snapshots.layer(chainId);
    if (layer === undefined) return 'absent';
    try {
      await snapshots.removeLayer(chainId);
    } catch (error) {
      if (reasonOf(error) === 'Conflict') return 'needed';
      throw error;
    }
    if (!snapshots.layers().some(({ diffId }) => diffId === layer.diffId)) await onRemoved(layer.diffId);
    return layer;
  }

  #release(chainId: Digest): void {
    const count = (this.#holds.get(chainId) ?? 0) - 1;
    if (count > 0) this.#holds.set(chainId, count);
    else this.#holds.delete(chainId);
  }
}

function isIntent(value: unknown): value is IntentRecord {
  if (!isObject(value) || !Array.isArray(value['chain'])) return false;
  return value['chain'].every((one) => typeof one === 'string' && isDigest(one));
}
