import { Channel } from '#base/channel.ts';
import { after, nowNs } from '#base/clock.ts';

import type { EngineEvent, EventLog, EventSubscription } from './event-log.ts';

/** How many events are remembered for replay. */
const remembered = 1024;
/** How many events a subscriber may lag behind before it gets an error. */
const backlog = 4096;
/** Timers hold no more than this. */
const longestTimerMs = 2 ** 31 - 1;

/** `now` gives nanoseconds since the epoch. */
export function createEventLog(now: () => bigint = nowNs): EventLog {
  const past: EngineEvent[] = [];
  const subscribers = new Set<Channel<EngineEvent>>();
  return {
    publish(type, action, id, attributes = {}) {
      const event: EngineEvent = { type, action, id, attributes, timeNs: now() };
      past.push(event);
      if (past.length > remembered) past.shift();
      for (const channel of subscribers) if (!channel.push(event)) subscribers.delete(channel);
    },
    subscribe(subscription, signal) {
      const channel = new Channel<EngineEvent>(backlog);
      const { sinceNs } = subscription;
      if (sinceNs !== undefined) for (const event of past) if (event.timeNs >= sinceNs) channel.push(event);
      // From here on, not from the first iteration on: what happens after this call is not missed.
      subscribers.add(channel);
      return iterate(channel, subscription, () => subscribers.delete(channel), now, signal);
    },
  };
}

async function* iterate(
  channel: Channel<EngineEvent>,
  { untilNs }: EventSubscription,
  leave: () => void,
  now: () => bigint,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, undefined> {
  const stop = (): void => channel.close();
  using until = closeAt(channel, untilNs, now);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const event of channel) {
      if (signal.aborted || (untilNs !== undefined && event.timeNs > untilNs)) return;
      yield event;
    }
  } finally {
    until[Symbol.dispose]();
    signal.removeEventListener('abort', stop);
    leave();
  }
}

/** Closes the channel at a time, at once when it is past. */
function closeAt(channel: Channel<EngineEvent>, untilNs: bigint | undefined, now: () => bigint): Disposable {
  let timer: Disposable | undefined;
  const arm = (): void => {
    if (untilNs === undefined) return;
    const restNs = untilNs - now();
    if (restNs <= 0n) channel.close();
    else timer = after(Math.min(Number(restNs / 1_000_000n) + 1, longestTimerMs), arm);
  };
  arm();
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}
