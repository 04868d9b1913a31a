import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createEventLog } from './create-event-log.ts';
import type { EngineEvent, EventLog, EventSubscription } from './event-log.ts';

function stepping(): () => bigint {
  let time = 0n;
  return () => (time += 10n);
}

async function collect(log: EventLog, subscription: EventSubscription, count: number): Promise<readonly string[]> {
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const event of log.subscribe(subscription, stop.signal)) {
    seen.push(event.action);
    if (seen.length === count) stop.abort();
  }
  return seen;
}

test('a subscriber sees what happens after it subscribed, also before it begins to read', async () => {
  const log = createEventLog(stepping());
  log.publish('container', 'create', 'a');
  const stop = new AbortController();
  const events = log.subscribe({}, stop.signal);
  log.publish('container', 'start', 'a', { name: 'web' });
  stop.abort();
  log.publish('container', 'die', 'a');
  const iterator = events[Symbol.asyncIterator]();
  assert.deepEqual((await iterator.next()).done, true);

  const live = log.subscribe({}, new AbortController().signal)[Symbol.asyncIterator]();
  log.publish('container', 'start', 'b', { name: 'web' });
  const first = (await live.next()).value as EngineEvent;
  assert.deepEqual({ ...first, timeNs: 0n }, {
    type: 'container',
    action: 'start',
    id: 'b',
    attributes: { name: 'web' },
    timeNs: 0n,
  } satisfies EngineEvent);
  await live.return?.();
});

test('since replays the past, until ends', async () => {
  const log = createEventLog(stepping());
  for (const action of ['one', 'two', 'three', 'four']) log.publish('image', action, 'i');
  assert.deepEqual(await collect(log, { sinceNs: 20n, untilNs: 30n }, 99), ['two', 'three']);
  assert.deepEqual(await collect(log, { sinceNs: 0n }, 4), ['one', 'two', 'three', 'four']);
  assert.deepEqual(await collect(log, { untilNs: 1n }, 99), []);
});

test('only the last 1,024 events are remembered', async () => {
  const log = createEventLog(stepping());
  for (let index = 0; index < 1100; index += 1) log.publish('image', String(index), 'i');
  const seen = await collect(log, { sinceNs: 0n, untilNs: 10n ** 9n }, 1024);
  assert.equal(seen.length, 1024);
  assert.equal(seen[0], '76');
});

test('a subscriber that does not read gets an error, others go on', async () => {
  const log = createEventLog(stepping());
  const slow = log.subscribe({}, new AbortController().signal);
  for (let index = 0; index < 5000; index += 1) log.publish('image', String(index), 'i');
  await assert.rejects(async () => {
    for await (const _ of slow);
  }, /fell behind/);
});
