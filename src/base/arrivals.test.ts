import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Arrivals } from './arrivals.ts';

const never = new AbortController().signal;

describe('things that arrive', () => {
  test('are found at once, or waited for, also by those who come to look when they are gone again', async () => {
    const arrivals = new Arrivals<number>();
    const early = [arrivals.get('a', never), arrivals.get('a', never)];
    const added = arrivals.add('a', 1);
    added[Symbol.dispose]();
    assert.deepEqual(await Promise.all(early), [1, 1]);
    assert.deepEqual([arrivals.has('a'), arrivals.size], [false, 0]);
    using _ = arrivals.add('b', 2);
    assert.equal(await arrivals.get('b', never), 2);
  });

  test('are waited for until the signal aborts', async () => {
    const arrivals = new Arrivals<number>();
    const controller = new AbortController();
    const wait = arrivals.get('a', controller.signal);
    controller.abort();
    assert.equal(await wait, undefined);
    assert.equal(await arrivals.get('a', controller.signal), undefined);
    using _ = arrivals.add('a', 3);
    assert.equal(await arrivals.get('a', controller.signal), 3);
  });
});
