/**
 * A bounded queue between a producer that cannot wait and one consumer that iterates. When the bound is reached the
 * channel overflows: it drops what is queued, and the consumer's iteration throws the overflow error, so that a slow
 * reader learns that it missed something.
 */
export class Channel<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #error: unknown;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Returns false once closed. */
  push(item: T): boolean {
    if (this.#closed) return false;
    if (this.#items.length >= this.#capacity) {
      this.#items.length = 0;
      this.fail(new Error(`the reader fell behind by more than ${String(this.#capacity)} items`));
      return false;
    }
    this.#items.push(item);
    this.#wake?.();
    return true;
  }

  /** Ends the iteration after what is queued. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Ends the iteration with an error after what is queued. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.#error = error;
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        while (this.#items.length > 0) yield this.#items.shift() as T;
        if (this.#closed) break;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
      if (this.#error !== undefined) throw this.#error;
    } finally {
      this.#closed = true;
    }
  }
}
