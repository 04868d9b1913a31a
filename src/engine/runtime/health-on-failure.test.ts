import assert from 'node:assert/strict';
import { test } from 'node:test';

import { healthOnFailure } from './health-on-failure.ts';

test('the label says what becomes of an unhealthy container', () => {
  assert.equal(healthOnFailure({ other: 'x' }), 'none');
  for (const action of ['none', 'kill', 'restart', 'stop'])
    assert.equal(healthOnFailure({ 'io.slipway.health-on-failure': action }), action);
  assert.throws(() => healthOnFailure({ 'io.slipway.health-on-failure': 'true' }), {
    reason: 'InvalidArgument',
    message: 'invalid label io.slipway.health-on-failure=true: want one of none, kill, restart, stop',
  });
});
