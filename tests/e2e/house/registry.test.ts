import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startRegistry } from '../../kit/registry.ts';

test('the kit gives each test an empty registry of its own', async (t) => {
  const [one, two] = await Promise.all([startRegistry(t), startRegistry(t)]);
  assert.notEqual(one.address, two.address);
  for (const { address } of [one, two]) {
    const response = await fetch(`http://${address}/v2/_catalog`);
    assert.deepEqual(await response.json(), { repositories: [] });
  }
});
