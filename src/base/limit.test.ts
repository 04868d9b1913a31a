import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConcurrencyLimit } from './limit.ts';

test('at most so many at once, in order, also after failures', async () => {
  const limit = new ConcurrencyLimit(2);
  const order: number[] = [];
  let running = 0;
  const work = (number: number) => async (): Promise<number> => {
    running += 1;
    order.push(number);
    assert.ok(running <= 2);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (number === 1) throw new Error('one');
    return number;
  };
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map((number) => limit.run(work(number))));
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});

test('who waits can give up, who has got the place goes on', async () => {
  const limit = new ConcurrencyLimit(1);
  const gate = Promise.withResolvers<string>();
  const first = limit.run(() => gate.promise);
  const controller = new AbortController();
  let ran = false;
  const second = limit.run(() => Promise.resolve((ran = true)), controller.signal);
  const third = limit.run(() => Promise.resolve('third'), new AbortController().signal);
  controller.abort(new Error('enough'));
  await assert.rejects(second, /enough/);
  gate.resolve('first');
  assert.deepEqual(await Promise.all([first, third]), ['first', 'third']);
  assert.equal(ran, false);
  await assert.rejects(
    limit.run(() => Promise.resolve(), controller.signal),
    /enough/,
  );
  assert.equal(await limit.run(() => Promise.resolve('free')), 'free');
});
