import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hostPlatform, parsePlatform } from './platform.ts';
import { isSignal } from './signal-name.ts';

const host = { os: 'linux', architecture: 'amd64' };

test('platforms', () => {
  assert.deepEqual(hostPlatform('x64'), host);
  assert.deepEqual(hostPlatform('arm64'), { os: 'linux', architecture: 'arm64' });
  assert.deepEqual(parsePlatform('linux/arm/v7', host), { os: 'linux', architecture: 'arm', variant: 'v7' });
  assert.deepEqual(parsePlatform('Linux/x86_64', host), host);
  assert.deepEqual(parsePlatform('aarch64', host), { os: 'linux', architecture: 'arm64' });
  assert.deepEqual(parsePlatform('linux', host), host);
  assert.deepEqual(parsePlatform('local', host), host);
  assert.throws(() => parsePlatform('windows/amd64', host), { reason: 'NotSupported' });
  for (const text of ['', 'linux/', 'linux/a/b/c', 'linux/a b'])
    assert.throws(() => parsePlatform(text, host), { reason: 'InvalidArgument' });
});

test('signals', () => {
  for (const name of ['SIGTERM', 'term', '9', 'RTMIN', 'SIGRTMIN+3', 'sigrtmax-1', '64'])
    assert.ok(isSignal(name), name);
  for (const name of ['', 'SIG', '0', '65', 'SIGNO', 'RTMIN+31', 'constructor']) assert.ok(!isSignal(name), name);
});
