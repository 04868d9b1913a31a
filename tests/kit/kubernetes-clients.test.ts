import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { kubernetesClient } from './kubernetes-clients.ts';

test('the real clients are there', () => {
  assert.match(execFileSync(kubernetesClient('kubectl'), ['version', '--client'], { encoding: 'utf8' }), /v1\.34\.5/);
  assert.match(execFileSync(kubernetesClient('helm'), ['version', '--short'], { encoding: 'utf8' }), /^v4\.1\.4/);
});
