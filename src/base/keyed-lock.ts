/**
 * Serialises work by key: at most one holder per key, in the order asked. Different keys never wait for each other.
 * The number of waiters is bounded by the callers' own limits.
 */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` alone under `key`. A failure of an earlier holder does not reach later ones. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const { promise: done, resolve: release } = Promise.withResolvers<void>();
    this.#tails.set(key, done);
    await before;
    try {
      return await work();
    } finally {
      release();
      if (this.#tails.get(key) === done) this.#tails.delete(key);
    }
  }
}
