/** Things by name that somebody may wait for before they are there. */
export class Arrivals<T> {
  readonly #here = new Map<string, T>();
  readonly #waiting = new Map<string, Set<(thing: T) => void>>();

  get size(): number {
    return this.#here.size;
  }

  has(name: string): boolean {
    return this.#here.has(name);
  }

  /** Gives it to all who wait for it. Disposing takes it away again. The name must be free. */
  add(name: string, thing: T): Disposable {
    this.#here.set(name, thing);
    for (const give of this.#waiting.get(name) ?? []) give(thing);
    return { [Symbol.dispose]: () => void this.#here.delete(name) };
  }

  /** Waits for the thing of a name; undefined when the signal aborts before it comes. */
  async get(name: string, signal: AbortSignal): Promise<T | undefined> {
    const here = this.#here.get(name);
    if (here !== undefined || signal.aborted) return here;
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    const onAbort = (): void => resolve(undefined);
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(resolve));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    }
  }
}
