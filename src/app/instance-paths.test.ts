import assert from 'node:assert/strict';
import { test } from 'node:test';

import { instancePaths } from './instance-paths.ts';

test('the default instance lives in the places of the system and has no tag', () => {
  const paths = instancePaths('/');
  assert.equal(paths.data, '/var/lib/slipway');
  assert.equal(paths.dockerSocket, '/run/slipway/docker.sock');
  assert.equal(paths.configFile, '/etc/slipway/slipway.yaml');
  assert.equal(paths.instance, '');
});

test('a moved instance lives below its root, with a tag that stays and differs from others', () => {
  const paths = instancePaths('/tmp/one');
  assert.equal(paths.controlSocket, '/tmp/one/run/slipway/slipway.sock');
  assert.match(paths.instance, /^[a-z0-9]{4}$/);
  assert.equal(instancePaths('/tmp/../tmp/one/').instance, paths.instance);
  const tags = new Set(Array.from({ length: 200 }, (_, index) => instancePaths(`/tmp/${String(index)}`).instance));
  assert.equal(tags.size, 200);
});
