import { type Clock, machineClock } from '#base/clock.ts';

export interface WorkQueueOptions {
  readonly clock?: Clock;
  /** Delay after the first failure of a key; it doubles with each further one. */
  readonly firstDelayMs?: number;
  readonly longestDelayMs?: number;
  /** Retries of all keys together: so many at once, then so many a second. */
  readonly burst?: number;
  readonly perSecond?: number;
}

/**
 * Keys to work on, each once however often it was added. A key is never worked on twice at a time: what is added meanwhile
 * comes after. Retries wait longer with each failure of the key, and all together keep to a rate.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #firstDelayMs: number;
  readonly #longestDelayMs: number;
  readonly #bucket: TokenBucket;
  /** Waits for its turn, in order. */
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  /** Added while it was worked on. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #later = new Map<string, { readonly atMs: number; readonly timer: Disposable }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #isClosed = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? machineClock;
    this.#firstDelayMs = options.firstDelayMs ?? 5;
    this.#longestDelayMs = options.longestDelayMs ?? 1_000_000;
    this.#bucket = new TokenBucket(options.burst ?? 100, options.perSecond ?? 10);
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#isClosed) return;
    if (this.#working.has(key)) return void this.#again.add(key);
    const taker = this.#ready.has(key) ? undefined : this.#takers.shift();
    if (taker === undefined) return void this.#ready.add(key);
    this.#working.add(key);
    taker(key);
  }

  /** Adds the key after a while; of several times the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return;
    if (delayMs <= 0) return this.add(key);
    const atMs = this.#clock.nowMs() + delayMs;
    const earlier = this.#later.get(key);
    if (earlier !== undefined && earlier.atMs <= atMs) return;
    earlier?.timer[Symbol.dispose]();
    const timer = this.#clock.after(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { atMs, timer });
  }

  /** Adds a key whose work failed, after a delay. */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ownMs = Math.min(this.#longestDelayMs, this.#firstDelayMs * 2 ** Math.min(failures, 40));
    this.addAfter(key, Math.max(ownMs, this.#bucket.delayMs(this.#clock.nowMs())));
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The work succeeded: its next failure is a first one. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key; undefined when the queue was closed. Whoever takes one says `done` after the work. */
  async take(): Promise<string | undefined> {
    const [key] = this.#ready;
    if (key !== undefined) {
      this.#ready.delete(key);
      this.#working.add(key);
      return key;
    }
    if (this.#isClosed) return undefined;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#takers.push(resolve);
    return promise;
  }

  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Forgets what waits, and ends all who take. */
  close(): void {
    this.#isClosed = true;
    this.#ready.clear();
    this.#again.clear();
    for (const { timer } of this.#later.values()) timer[Symbol.dispose]();
    this.#later.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}

/** A rate over all keys: tokens come at a rate up to a number, and each retry takes one, if need be in advance. */
class TokenBucket {
  readonly #most: number;
  readonly #perSecond: number;
  #tokens: number;
  #atMs = 0;

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#tokens = most;
  }

  /** Milliseconds until there is a token, which is taken. */
  delayMs(nowMs: number): number {
    const passedMs = this.#atMs === 0 ? 0 : Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#most, this.#tokens + (passedMs / 1000) * this.#perSecond) - 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }
}
