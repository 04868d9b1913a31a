import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pullPolicyOf } from './pull-policy.ts';

test('only what may change is pulled always', () => {
  for (const image of ['nginx', 'nginx:latest', 'host:5000/a/b', 'host:5000/a/b:latest', 'a:latest@sha256:0'])
    assert.equal(pullPolicyOf(image), 'Always', image);
  for (const image of ['nginx:1', 'host:5000/a/b:1', 'a@sha256:0', '', undefined, 'a:'])
    assert.equal(pullPolicyOf(image), 'IfNotPresent', image);
});
