import { setImmediate } from 'node:timers/promises';

import type { Clock } from '#base/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  #nowMs = Date.parse('2026-01-01T00:00:00Z');
  readonly #timers = new Set<Timer>();

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Disposable {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Moves on, timer by timer, and lets everything that wakes run as far as it can after each. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].toSorted((left, right) => left.atMs - right.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets all promises that can go on do so; nothing that waits for input or time is waited for. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}
