import type { Clock } from '#base/clock.ts';

/** A pod that could not be scheduled waits at least as long, twice as long each time (upstream's backoff). */
const backoffMs = { first: 1_000, most: 10_000 };
/** Without any news it is tried again after this. */
const flushMs = 300_000;

interface Entry {
  readonly key: string;
  readonly priority: number;
  /** Order among those of one priority. */
  readonly turn: number;
}

/** Pods that wait for a node: those with the highest priority first, then the oldest; those that found none when something changes. */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #active = new Map<string, Entry>();
  /** Those that found no node, and since when they may be tried again. */
  readonly #parked = new Map<
    string,
    { readonly entry: Entry; readonly notBeforeMs: number; readonly timer: Disposable }
  >();
  readonly #attempts = new Map<string, number>();
  #turn = 0;
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(key: string, priority: number): void {
    const parked = this.#parked.get(key);
    if (parked !== undefined) return this.#activateLater(parked.entry, parked.notBeforeMs);
    this.#activate(this.#active.get(key) ?? { key, priority, turn: this.#turn++ });
  }

  remove(key: string): void {
    this.#active.delete(key);
    this.#attempts.delete(key);
    this.#unpark(key);
  }

  /** It found no node: it waits for news. */
  park(key: string, priority: number): void {
    this.#rest({ key, priority, turn: this.#turn++ }, flushMs);
  }

  /** Something failed on the way: it is tried again after its backoff. */
  retry(key: string, priority: number): void {
    this.#rest({ key, priority, turn: this.#turn++ }, 0);
  }

  /** Something has changed by which parked pods may find a node. */
  moveAll(): void {
    for (const { entry, notBeforeMs } of Array.from(this.#parked.values())) this.#activateLater(entry, notBeforeMs);
  }

  /** The next pod; undefined when the queue is closed. */
  async take(): Promise<string | undefined> {
    for (;;) {
      if (this.#isClosed) return undefined;
      const next = first(this.#active.values());
      if (next !== undefined) {
        this.#active.delete(next.key);
        return next.key;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const key of this.#parked.keys()) this.#unpark(key);
    this.#wake?.();
  }

  #rest(entry: Entry, atLeastMs: number): void {
    if (this.#isClosed) return;
    const attempts = (this.#attempts.get(entry.key) ?? 0) + 1;
    this.#attempts.set(entry.key, attempts);
    const waitMs = Math.min(backoffMs.first * 2 ** (attempts - 1), backoffMs.most);
    this.#parkUntil(entry, this.#clock.nowMs() + waitMs, Math.max(waitMs, atLeastMs));
  }

  #activateLater(entry: Entry, notBeforeMs: number): void {
    const waitMs = notBeforeMs - this.#clock.nowMs();
    this.#unpark(entry.key);
    if (waitMs <= 0) this.#activate(entry);
    else this.#parkUntil(entry, notBeforeMs, waitMs);
  }

  #parkUntil(entry: Entry, notBeforeMs: number, waitMs: number): void {
    this.#unpark(entry.key);
    const timer = this.#clock.after(waitMs, () => {
      this.#parked.delete(entry.key);
      this.#activate(entry);
    });
    this.#parked.set(entry.key, { entry, notBeforeMs, timer });
  }

  #unpark(key: string): void {
    this.#parked.get(key)?.timer[Symbol.dispose]();
    this.#parked.delete(key);
  }

  #activate(entry: Entry): void {
    if (this.#isClosed) return;
    this.#active.set(entry.key, entry);
    this.#wake?.();
  }
}

function first(entries: Iterable<Entry>): Entry | undefined {
  let best: Entry | undefined;
  for (const entry of entries)
    if (
      best === undefined ||
      entry.priority > best.priority ||
      (entry.priority === best.priority && entry.turn < best.turn)
    )
      best = entry;
  return best;
}
