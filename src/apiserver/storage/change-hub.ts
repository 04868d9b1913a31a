import { after, sleep } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { ApiError } from '#kube/status.ts';
import type { Change, Store } from '#store/store.ts';

/** Everything that the API stores is below. */
export const registryPrefix = '/registry/';

/** One prefix's part of the stream. */
export interface HubListener {
  /** A change below the listener's prefix. */
  change(change: Change): void;
  /** Changes were missed: what is known must be read anew. */
  reset(): void;
}

interface Waiter {
  readonly revision: bigint;
  readonly resolve: () => void;
}

const retryMs = 500;
/** How long a reader waits for a revision that was not seen yet; upstream's is 3 s as well. */
const freshnessWaitMs = 3000;

/**
 * The one watch on the store, whose changes all caches are fed from: since it covers everything, the revision of its last
 * change is the one that every cache shows.
 */
export class ChangeHub implements AsyncDisposable {
  readonly store: Store;
  readonly #logger: Logger;
  readonly #listeners = new Map<string, HubListener>();
  readonly #closed = new AbortController();
  #waiters: Waiter[] = [];
  #revision = 0n;
  /** Of the latest write of this server that was acknowledged. */
  #written = 0n;
  readonly #isExclusive: boolean;
  #running: Promise<void> = Promise.resolve();

  /** `isExclusive`: nobody else writes to the store, so that what this server knows of is all there is. */
  constructor(store: Store, logger: Logger, isExclusive: boolean) {
    this.store = store;
    this.#logger = logger;
    this.#isExclusive = isExclusive;
  }

  /** All changes up to this revision have been given to the listeners. */
  get revision(): bigint {
    return this.#revision;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#revision = await this.store.revision(signal);
    this.#running = this.#follow();
  }

  /** `prefix` ends in a slash and has two segments below the registry: `/registry/apps/deployments/`. */
  listen(prefix: string, listener: HubListener): void {
    this.#listeners.set(prefix, listener);
  }

  forget(prefix: string): void {
    this.#listeners.delete(prefix);
  }

  /** Notes a write that was acknowledged. */
  wrote(revision: bigint): void {
    if (revision > this.#written) this.#written = revision;
  }

  /** Whether everything that was written so far has been seen, as far as that can be told without asking the store. */
  get isFresh(): boolean {
    return this.#isExclusive && this.#revision >= this.#written;
  }

  /** Waits until everything that was written before the call has been seen. */
  async refresh(signal: AbortSignal): Promise<void> {
    await this.reach(this.#isExclusive ? this.#written : await this.store.revision(signal), signal);
  }

  /** Throws Timeout with upstream's cause ResourceVersionTooLarge when the revision does not come. */
  async reach(revision: bigint, signal: AbortSignal): Promise<void> {
    if (this.#revision >= revision) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { revision, resolve };
    this.#waiters.push(waiter);
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    using _ = after(freshnessWaitMs, () => reject(tooLarge(revision, this.#revision)));
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#waiters = this.#waiters.filter((one) => one !== waiter);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error('the API server ends'));
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        for await (const change of this.store.watch(registryPrefix, this.#revision, signal)) this.#take(change);
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn('watch on the store broke, caches are read anew', { error: messageOf(error) });
      }
      if (signal.aborted) return;
      await this.#restart(signal);
    }
  }

  async #restart(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#advance(await this.store.revision(signal));
        for (const listener of this.#listeners.values()) listener.reset();
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn('store does not answer', { error: messageOf(error) });
        await sleep(retryMs, signal).catch(() => {});
      }
    }
  }

  #take(change: Change): void {
    if (change.type !== 'progress') this.#listeners.get(prefixOf(change.key))?.change(change);
    this.#advance(change.revision);
  }

  #advance(revision: bigint): void {
    if (revision > this.#revision) this.#revision = revision;
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.resolve();
  }
}

/** `/registry/apps/deployments/a/b` -> `/registry/apps/deployments/`. */
function prefixOf(key: string): string {
  const group = key.indexOf('/', registryPrefix.length);
  return key.slice(0, key.indexOf('/', group + 1) + 1);
}

function tooLarge(asked: bigint, current: bigint): ApiError {
  return new ApiError('Timeout', `Timeout: Too large resource version: ${String(asked)}, current: ${String(current)}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
