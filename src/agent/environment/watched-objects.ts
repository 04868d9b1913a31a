import { type Clock, machineClock, waitFor } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { type Client, keyText, type KindOf, type ObjectKey } from '#kube/client/client.ts';
import { Informer } from '#kube/client/informer.ts';
import type { Resource } from '#kube/resource.ts';

export interface WatchedOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface Watched<R extends Resource> {
  readonly informer: Informer<R>;
  readonly stop: AbortController;
  readonly running: Promise<void>;
  readonly listening: Disposable;
  askedAtMs: number;
}

/** How long an object is watched after it was asked for last. */
const keptMs = 300_000;
/** How long the API may take to tell of an object. */
const answerMs = 30_000;

/**
 * Objects of a kind that are asked for by name: each is watched from the first time, so that later answers come from memory
 * and changes are told, and no longer when nobody has asked for a while.
 */
export class WatchedObjects<R extends Resource> implements AsyncDisposable {
  readonly #client: Client;
  readonly #kind: KindOf<R>;
  readonly #options: WatchedOptions;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched<R>>();
  readonly #listeners = new Set<(key: ObjectKey) => void>();

  constructor(client: Client, kind: KindOf<R>, options: WatchedOptions = {}) {
    this.#client = client;
    this.#kind = kind;
    this.#options = options;
    this.#clock = options.clock ?? machineClock;
  }

  /** How many are watched. */
  get size(): number {
    return this.#watched.size;
  }

  /** The object, undefined when there is none. Throws Unavailable when the API does not say within half a minute. */
  async get(key: ObjectKey, signal: AbortSignal): Promise<R | undefined> {
    signal.throwIfAborted();
    const { informer } = this.#watch(key);
    if (!informer.isSynced) await this.#synced(informer, key, signal);
    return informer.get(key);
  }

  /** Calls back with the key of each object that changed, appeared or went. */
  onChange(listener: (key: ObjectKey) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Ends the watches of what nobody asked for lately. */
  async forgetUnused(): Promise<void> {
    const before = this.#clock.nowMs() - keptMs;
    const old = [...this.#watched].filter(([, { askedAtMs }]) => askedAtMs < before);
    for (const [key] of old) this.#watched.delete(key);
    await Promise.all(old.map(async ([, watched]) => end(watched)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#watched.values()];
    this.#watched.clear();
    await Promise.all(all.map(end));
  }

  #watch(key: ObjectKey): Watched<R> {
    const text = keyText(key);
    const found = this.#watched.get(text);
    const askedAtMs = this.#clock.nowMs();
    if (found !== undefined) {
      found.askedAtMs = askedAtMs;
      return found;
    }
    const { namespace, name } = key;
    const selection = { namespace, fieldSelector: `metadata.name=${name}` };
    const informer = new Informer<R>(this.#client, this.#kind, { ...this.#options, ...selection });
    const stop = new AbortController();
    const listening = informer.onChange(() => {
      for (const listener of this.#listeners) listener(key);
    });
    const watched = { informer, stop, running: informer.run(stop.signal), listening, askedAtMs };
    this.#watched.set(text, watched);
    return watched;
  }

  async #synced(informer: Informer<R>, key: ObjectKey, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const late = waitFor(answerMs, this.#clock, AbortSignal.any([signal, waiting.signal])).then(() => {
      const kind = this.#kind.kind.toLowerCase();
      throw new StatusError('Unavailable', `failed to sync ${kind} cache: timed out waiting for ${keyText(key)}`);
    });
    try {
      await Promise.race([informer.synced, late]);
    } finally {
      waiting.abort();
      await late.catch(() => {});
    }
  }
}

async function end<R extends Resource>({ stop, running, listening }: Watched<R>): Promise<void> {
  listening[Symbol.dispose]();
  stop.abort();
  await running;
}
