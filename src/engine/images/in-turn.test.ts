import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConcurrencyLimit } from '#base/limit.ts';
import { inTurn } from './in-turn.ts';

test('whoever is aborted while waiting leaves at once, and the turn passes without work', async () => {
  const limit = new ConcurrencyLimit(1);
  const queue = <T>(work: () => Promise<T>): Promise<T> => limit.run(work);
  const never = new AbortController().signal;
  const first = Promise.withResolvers<string>();
  const running = inTurn(queue, () => first.promise, never);
  const client = new AbortController();
  let worked = false;
  const waiting = inTurn(queue, async () => void (worked = true), client.signal);
  const last = inTurn(queue, async () => 'last', never);
  client.abort(new Error('left'));
  await assert.rejects(waiting, { message: 'left' });
  first.resolve('first');
  assert.deepEqual(await Promise.all([running, last]), ['first', 'last']);
  assert.equal(worked, false);
  await assert.rejects(
    inTurn(queue, async () => {}, client.signal),
    { message: 'left' },
  );
});

test('work that has begun is waited for, and its failure is passed on', async () => {
  const client = new AbortController();
  const cleaned = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const work = async (): Promise<void> => {
    begun.resolve();
    await cleaned.promise;
    throw new Error('cleaned up');
  };
  const done = inTurn((one) => one(), work, client.signal);
  await begun.promise;
  client.abort(new Error('left'));
  cleaned.resolve();
  await assert.rejects(done, { message: 'cleaned up' });
});
