import assert from 'node:assert/strict';
import { test } from 'node:test';

import { instanceNames } from './instance-names.ts';

test('instances have their own names, short enough for interfaces', () => {
  assert.deepEqual(instanceNames('', '/run/slipway'), {
    table: 'slipway',
    defaultBridge: 'slipway0',
    netnsFolder: '/run/slipway/netns',
    recordFolder: '/run/slipway/network',
  });
  const { table, defaultBridge } = instanceNames('abcdef', '/r');
  assert.deepEqual([table, defaultBridge], ['slipway-abcdef', 'slip-abcdef0']);
  for (const name of ['toolong', 'A', 'a-b', 'ä']) {
    assert.throws(() => instanceNames(name, '/r'), { reason: 'InvalidArgument' });
  }
});
