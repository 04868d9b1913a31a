import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { FakeClock, settle } from '#kit/fake-clock.ts';

import { WorkQueue } from './work-queue.ts';

describe('a work queue', () => {
  test('gives keys in order, each once', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a', 'c']) queue.add(key);
    assert.deepEqual([await queue.take(), await queue.take(), await queue.take(), queue.length], ['a', 'b', 'c', 0]);
  });

  test('gives a key that comes to who waits', async () => {
    const queue = new WorkQueue();
    const taken = [queue.take(), queue.take()];
    queue.add('a');
    queue.add('a');
    queue.add('b');
    assert.deepEqual(await Promise.all(taken), ['a', 'b']);
    queue.done('a');
    assert.equal(await queue.take(), 'a');
  });

  test('does not give a key that is worked on', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    assert.equal(queue.length, 0);
    queue.done('a');
    assert.equal(queue.length, 1);
    await queue.take();
    queue.done('a');
    assert.equal(queue.length, 0);
  });

  test('waits longer after each failure, until one succeeds', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock, firstDelayMs: 10, longestDelayMs: 50 });
    for (const delayMs of [10, 20, 40, 50, 50]) {
      queue.retry('a');
      await clock.advance(delayMs - 1);
      assert.equal(queue.length, 0, `before ${String(delayMs)} ms`);
      await clock.advance(1);
      assert.equal(queue.length, 1);
      await queue.take();
      queue.done('a');
    }
    assert.equal(queue.failuresOf('a'), 5);
    queue.forget('a');
    queue.retry('a');
    await clock.advance(10);
    assert.equal(queue.length, 1);
  });

  test('keeps retries of many keys to a rate', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock, firstDelayMs: 1, burst: 3, perSecond: 2 });
    for (let index = 0; index < 9; index += 1) queue.retry(String(index));
    await clock.advance(1);
    assert.equal(queue.length, 3);
    await clock.advance(1000);
    assert.equal(queue.length, 5);
    await clock.advance(2000);
    assert.equal(queue.length, 9);
  });

  test('of several times takes the earliest', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock });
    queue.addAfter('a', 1000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 500);
    await clock.advance(100);
    assert.deepEqual([queue.length, clock.waiting], [1, 0]);
    queue.addAfter('b', 0);
    assert.equal(queue.length, 2);
  });

  test('ends all who take when it is closed, and its timers', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock });
    const taken = queue.take();
    queue.addAfter('b', 10);
    queue.close();
    queue.add('c');
    queue.addAfter('d', 10);
    assert.deepEqual([await taken, await queue.take(), clock.waiting, queue.length], [undefined, undefined, 0, 0]);
  });

  test('loses no key, and gives none to two workers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 }), async (keys) => {
        const queue = new WorkQueue();
        const added = new Map<string, number>();
        const seen = new Map<string, number>();
        const working = new Set<string>();
        let stamp = 0;
        const work = async (): Promise<void> => {
          for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
            assert.ok(!working.has(key));
            working.add(key);
            seen.set(key, stamp);
            await Promise.resolve();
            working.delete(key);
            queue.done(key);
          }
        };
        const workers = [work(), work(), work()];
        for (const key of keys) {
          added.set(key, (stamp += 1));
          queue.add(key);
          if (stamp % 3 === 0) await Promise.resolve();
        }
        await settle();
        queue.close();
        await Promise.all(workers);
        for (const [key, at] of added) assert.ok((seen.get(key) ?? 0) >= at, `${key} was worked on after it was added`);
      }),
    );
  });
});
