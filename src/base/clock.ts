import { setTimeout as sleepFor } from 'node:timers/promises';

/** Milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now();
}

/** What the two clocks of a process may differ by before the machine's counts: it was set, or the machine has slept. */
const driftMs = 50;

/** Nanoseconds since the epoch, exact to the microsecond or so; to the millisecond once the machine's clock was set. */
export function nowNs(): bigint {
  const countedMs = performance.timeOrigin + performance.now();
  const toldMs = nowMs();
  const ms = Math.abs(countedMs - toldMs) < driftMs ? countedMs : toldMs;
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

/** Milliseconds of a clock that never jumps; only differences mean something. */
export function monotonicMs(): number {
  return performance.now();
}

/** Waits; rejects with the signal's reason when it is aborted. */
export async function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleepFor(durationMs, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/** Calls back once after `delayMs`, without keeping the process alive; disposing cancels. */
export function after(delayMs: number, callback: () => void): Disposable {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Calls back every `periodMs`, without keeping the process alive; disposing stops. */
export function every(periodMs: number, callback: () => void): Disposable {
  const timer = setInterval(callback, periodMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A signal that aborts after `durationMs` or with `parent`. */
export function deadline(durationMs: number, parent?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(durationMs);
  return parent === undefined ? timeout : AbortSignal.any([parent, timeout]);
}

/** What tells the time and calls back: the machine's, or a test's that moves when it is told to. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls back once after `delayMs`; disposing cancels. */
  after(delayMs: number, callback: () => void): Disposable;
}

export const machineClock: Clock = { nowMs, after };

/** Waits by a clock; rejects with the signal's reason when it is aborted. */
export async function waitFor(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  using _ = clock.after(delayMs, resolve);
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
