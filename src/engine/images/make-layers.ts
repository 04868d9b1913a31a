import type { LayerGroup } from '../snapshots/snapshots.ts';
import { inTurn } from './in-turn.ts';
import type { LayerStore } from './layer-store.ts';
import type { WantedLayer } from './room.ts';
import type { LayerKeeper } from './store/layer-keeper.ts';

/** What making layers needs of the room. */
export interface LayerRoom {
  readonly snapshots: Pick<LayerStore, 'layer' | 'group'>;
  readonly layers: Pick<LayerKeeper, 'exclusively'>;
}

/** How one layer of a chain comes. */
export interface LayerMaking {
  readonly layer: WantedLayer;
  /** Called when the layer is there already; nothing else is then. */
  onPresent?(): void;
  /** Brings here what is unpacked; side by side with those of other layers. */
  fetch(signal: AbortSignal): Promise<void>;
  /** Called when all layers below are unpacked. */
  unpack(group: LayerGroup, signal: AbortSignal): Promise<void>;
  /** Called when the layer is there, durably. */
  onMade?(): void;
}

/**
 * Makes the layers of one chain, from the lowest; when it returns they are all there, durably. Layers that are unpacked
 * wait for the disk together: at the end, and whenever there is nothing to unpack yet, so that others who want the same
 * layers (they wait) need not wait for slower ones above. The first failure ends the rest, and is thrown when all have
 * ended.
 */
export async function makeLayers(room: LayerRoom, makings: readonly LayerMaking[], signal: AbortSignal): Promise<void> {
  const failure = new AbortController();
  await using chain = new ChainMaking(room, AbortSignal.any([signal, failure.signal]));
  // All take their places in the queues at once: two chains that share layers would else wait for each other for ever.
  const tasks = makings.map((making, index) => chain.make(making, index));
  for (const task of tasks) task.catch((error: unknown) => failure.abort(error));
  await Promise.allSettled(tasks);
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
}

class ChainMaking implements AsyncDisposable {
  readonly #room: LayerRoom;
  readonly #signal: AbortSignal;
  readonly #aborted = Promise.withResolvers<never>();
  readonly #group: LayerGroup;
  /** Resolves when the layer of that index can be stood on. */
  readonly #unpacked: PromiseWithResolvers<void>[] = [];
  /** Layers whose turn to be unpacked is next as soon as those below are. */
  readonly #fetched = new Set<number>();
  /** Those that are unpacked, and not yet being committed. */
  #waiting: PromiseWithResolvers<void>[] = [];

  constructor(room: LayerRoom, signal: AbortSignal) {
    this.#room = room;
    this.#signal = signal;
    this.#group = room.snapshots.group();
    this.#aborted.promise.catch(() => {});
    signal.addEventListener('abort', () => this.#aborted.reject(signal.reason), { once: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group[Symbol.asyncDispose]();
  }

  async make(making: LayerMaking, index: number): Promise<void> {
    const { layers, snapshots } = this.#room;
    const { chainId } = making.layer;
    const unpacked = (this.#unpacked[index] = Promise.withResolvers<void>());
    await inTurn(
      (work) => layers.exclusively(chainId, work),
      async () => {
        if (snapshots.layer(chainId) === undefined) await this.#bring(making, index);
        else making.onPresent?.();
        unpacked.resolve();
      },
      this.#signal,
    );
  }

  async #bring(making: LayerMaking, index: number): Promise<void> {
    await making.fetch(this.#signal);
    this.#fetched.add(index);
    await this.#orAborted(this.#unpacked[index - 1]?.promise);
    await making.unpack(this.#group, this.#signal);
    this.#unpacked[index]?.resolve();
    const durable = Promise.withResolvers<void>();
    durable.promise.catch(() => {});
    this.#waiting.push(durable);
    if (!this.#fetched.has(index + 1)) void this.#commit();
    await this.#orAborted(durable.promise);
    making.onMade?.();
  }

  async #commit(): Promise<void> {
    const those = this.#waiting;
    this.#waiting = [];
    try {
      await this.#group.commit();
      for (const one of those) one.resolve();
    } catch (error) {
      for (const one of those) one.reject(error);
    }
  }

  async #orAborted(promise: Promise<void> | undefined): Promise<void> {
    await Promise.race([promise, this.#aborted.promise]);
  }
}
