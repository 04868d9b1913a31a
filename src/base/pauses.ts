import { setImmediate } from 'node:timers/promises';

import { monotonicMs } from './clock.ts';

/** Longest stretch of synchronous work, so that others on this thread are served in between. */
const sliceMs = 5;

/**
 * For long loops of synchronous work: call it at each turn. It returns undefined while the present slice of time lasts,
 * then a promise to await, which gives everything else on this thread a turn: `await pause()`.
 */
export function createPauses(): () => Promise<void> | undefined {
  let since = monotonicMs();
  return () => {
    if (monotonicMs() - since < sliceMs) return undefined;
    return setImmediate().then(() => {
      since = monotonicMs();
    });
  };
}
