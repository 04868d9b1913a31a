import { type Clock, machineClock, waitFor } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { randomBelow } from '#base/ids.ts';
import { type Logger, silentLogger } from '#base/logger.ts';

import type { Resource } from '../resource.ts';
import { ApiError } from '../status.ts';
import { Backoff } from './backoff.ts';
import { type Client, keyOf, keyText, type KindOf, type ObjectKey, type Selection, type WatchEvent } from './client.ts';
import { type Change, type Indexer, ObjectCache } from './object-cache.ts';

/** Seconds of one watch: between this and twice as much, so that the watches of many clients do not end together. */
const watchSeconds = 300;
const pageSize = 500;
/** How long the objects of a watch may take to come before a list is taken instead: old servers never say their end. */
const initialEventsMs = 60_000;
const retry = { firstMs: 800, mostMs: 30_000 };
const endOfInitialEvents = 'k8s.io/initial-events-end';

export interface InformerOptions<R extends Resource> extends Selection {
  readonly indexers?: Readonly<Record<string, Indexer<R>>>;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/**
 * Keeps the objects of a kind at hand: reads them once, then follows their changes. Lost connections go on from the last
 * version seen; when that is too old everything is read again, and listeners are told what differs.
 */
export class Informer<R extends Resource> {
  readonly kind: KindOf<R>;
  readonly #client: Client;
  readonly #selection: Selection;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #cache: ObjectCache<R>;
  readonly #listeners = new Set<(change: Change<R>) => void>();
  readonly #synced = Promise.withResolvers<void>();
  readonly #backoff = new Backoff(retry);
  #isSynced = false;
  #hasWatchList = true;
  /** Version that the cache shows; undefined: it has to be filled. */
  #version: string | undefined;

  constructor(client: Client, kind: KindOf<R>, options: InformerOptions<R> = {}) {
    const { indexers = {}, clock = machineClock, logger = silentLogger, ...selection } = options;
    this.kind = kind;
    this.#client = client;
    this.#selection = selection;
    this.#clock = clock;
    this.#logger = logger.with({ kind: kind.kind });
    this.#cache = new ObjectCache(indexers);
  }

  /** Whether all that was there has been read once. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Resolves when all that was there has been read once. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get(key: ObjectKey): R | undefined {
    return this.#cache.get(key);
  }

  list(namespace = ''): readonly R[] {
    return this.#cache.list(namespace);
  }

  byIndex(index: string, value: string): readonly R[] {
    return this.#cache.byIndex(index, value);
  }

  /** Tells of what is there, then of each change. Listeners must not throw, and see the cache after the change. */
  onChange(listener: (change: Change<R>) => void): Disposable {
    this.#listeners.add(listener);
    for (const object of this.#cache.list()) listener({ type: 'added', object });
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Follows until the signal aborts. Failures are waited out. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined && !this.#hasWatchList) await this.#readAll(signal);
        const count = await this.#follow(signal);
        if (count > 0) this.#backoff.reset();
        else await this.#pause(0, signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const isExpired = error instanceof ApiError && error.code === 410;
    const wasFilled = this.#version !== undefined;
    if (isExpired) this.#version = undefined;
    const isRefusal = error instanceof ApiError && (error.code === 422 || error.code === 400);
    if (isRefusal && !wasFilled && this.#hasWatchList) {
      this.#hasWatchList = false;
      return;
    }
    this.#logger.debug('a watch failed', { error, isExpired });
    if (isExpired && wasFilled) return;
    const leastMs = error instanceof StatusError ? error.retryAfterMs : undefined;
    await this.#pause(leastMs, signal);
  }

  async #pause(leastMs: number | undefined, signal: AbortSignal): Promise<void> {
    try {
      await waitFor(this.#backoff.next(leastMs), this.#clock, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Fills the cache by a list, page by page. A page that is too old begins again. */
  async #readAll(signal: AbortSignal): Promise<void> {
    const objects: R[] = [];
    let at = '';
    for (;;) {
      const options = { ...this.#selection, limit: pageSize, ...(at === '' ? {} : { continue: at }) };
      const page = await this.#client.list(this.kind, options, signal);
      objects.push(...page.items);
      at = page.continue;
      if (at === '') return this.#fill(objects, page.resourceVersion);
    }
  }

  #fill(objects: Iterable<R>, version: string): void {
    this.#version = version;
    const changes = this.#cache.replace(objects);
    this.#isSynced = true;
    this.#tell(changes);
    this.#synced.resolve();
  }

  /** Follows one watch to its end; the number of events that it brought. */
  async #follow(signal: AbortSignal): Promise<number> {
    const initial = this.#version === undefined ? new Map<string, R>() : undefined;
    const tooLong = new AbortController();
    const giveUp = (): void => {
      if (this.#version === undefined) tooLong.abort(new ApiError('Invalid', 'the server does not say the end'));
    };
    using _ = initial === undefined ? undefined : this.#clock.after(initialEventsMs, giveUp);
    const either = AbortSignal.any([signal, tooLong.signal]);
    const options = { ...this.#selection, timeoutSeconds: watchSeconds + randomBelow(watchSeconds) };
    const from = initial === undefined ? { resourceVersion: this.#version ?? '' } : { sendInitialEvents: true };
    let count = 0;
    for await (const event of this.#client.watch(this.kind, { ...options, ...from }, either)) {
      count += 1;
      if (initial !== undefined && this.#version === undefined) this.#collect(event, initial);
      else this.#take(event);
    }
    return count;
  }

  #collect({ type, object }: WatchEvent<R>, initial: Map<string, R>): void {
    const { annotations, resourceVersion = '' } = object.metadata;
    if (type === 'DELETED') initial.delete(keyText(keyOf(object)));
    else if (type !== 'BOOKMARK') initial.set(keyText(keyOf(object)), object);
    else if (annotations?.[endOfInitialEvents] === 'true') this.#fill(initial.values(), resourceVersion);
  }

  #take({ type, object }: WatchEvent<R>): void {
    this.#version = object.metadata.resourceVersion ?? this.#version;
    if (type === 'BOOKMARK') return;
    const change = type === 'DELETED' ? this.#cache.delete(object) : this.#cache.set(object);
    if (change !== undefined) this.#tell([change]);
  }

  #tell(changes: readonly Change<R>[]): void {
    for (const change of changes) for (const listener of this.#listeners) listener(change);
  }
}
