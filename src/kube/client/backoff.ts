import { randomBelow } from '#base/ids.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Delays that double from one failure to the next, up to a bound, each with up to a half more so that many do not meet. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Milliseconds to wait after another failure; at least `leastMs`, which a server may have said. */
  next(leastMs = 0): number {
    const { firstMs, mostMs } = this.#options;
    const baseMs = Math.min(mostMs, firstMs * 2 ** Math.min(this.#failures, 40));
    this.#failures += 1;
    return Math.max(leastMs, baseMs + randomBelow(Math.ceil(baseMs / 2) + 1));
  }

  reset(): void {
    this.#failures = 0;
  }
}
