import assert from 'node:assert/strict';
import { test } from 'node:test';

import { comesTrue, settlesWithin, unlessAborted } from './waiting.ts';

const never = new AbortController().signal;
const forEver = new Promise<never>(() => {});

test('a promise settles in time or does not', async () => {
  assert.equal(await settlesWithin(Promise.resolve(1), 60_000, never), true);
  assert.equal(await settlesWithin(Promise.reject(new Error('no')), 60_000, never), true);
  assert.equal(await settlesWithin(forEver, 1, never), false);
});

test('an abort ends the waiting, not the work', async () => {
  const stop = new AbortController();
  const waiting = settlesWithin(forEver, 60_000, stop.signal);
  const guarded = unlessAborted(forEver, stop.signal);
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await assert.rejects(guarded, { name: 'AbortError' });
  await assert.rejects(unlessAborted(Promise.resolve(1), stop.signal), { name: 'AbortError' });
  assert.equal(await unlessAborted(Promise.resolve(7), never), 7);
});

test('looks are repeated until one says yes, or time is up', async () => {
  let looks = 0;
  assert.equal(await comesTrue(() => (looks += 1) === 3, 1, 60_000), true);
  assert.equal(looks, 3);
  assert.equal(await comesTrue(() => false, 1, 3), false);
});
