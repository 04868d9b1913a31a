import assert from 'node:assert/strict';
import { test } from 'node:test';

import { backingOff, StartBackoffs } from './start-backoffs.ts';

test('images are asked for later each time, other things as often', () => {
  const backoffs = new StartBackoffs();
  const pull = { reason: 'ErrImagePull', message: 'no such host' };
  const waits = [1, 2, 3, 4, 5, 6, 7].map(() => backoffs.failed('u', 'main', pull, 0) / 1000);
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 300, 300]);
  assert.equal(backoffs.failed('u', 'open', { reason: 'ContainerCreating', message: '' }, 1000), 6000);
  assert.equal(backoffs.blocked('u', 'main', 299_999)?.failures, 7);
  assert.equal(backoffs.blocked('u', 'main', 300_000), undefined);
  backoffs.worked('u', 'main');
  assert.equal(backoffs.failed('u', 'main', pull, 0), 10_000);
  backoffs.forget('u');
  assert.equal(backoffs.blocked('u', 'main', 0), undefined);
  assert.deepEqual(backingOff(pull, 'x:1'), {
    reason: 'ImagePullBackOff',
    message: 'Back-off pulling image "x:1": ErrImagePull: no such host',
  });
});
