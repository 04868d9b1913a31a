import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Descriptor } from '#formats/oci.ts';
import { digestOf } from '../store/chain.ts';
import { choosePlatform, hostPlatform } from './choose-platform.ts';

function entry(os: string, architecture: string, variant?: string): Descriptor {
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { mediaType: 'm', digest: digestOf(`${os}/${architecture}/${variant ?? ''}`), size: 1, platform };
}

test('the exact variant is preferred, another variant will do, attestations never', () => {
  const entries = [
    entry('unknown', 'unknown'),
    entry('linux', 'arm', 'v6'),
    entry('linux', 'arm', 'v7'),
    entry('linux', 'amd64'),
    { mediaType: 'm', digest: digestOf('bare'), size: 1 },
  ];
  assert.equal(choosePlatform(entries, { os: 'linux', architecture: 'arm', variant: 'v7' }), entries[2]);
  assert.equal(choosePlatform(entries, { os: 'linux', architecture: 'arm', variant: 'v8' }), entries[1]);
  assert.equal(choosePlatform(entries, { os: 'linux', architecture: 'amd64' }), entries[3]);
  assert.throws(() => choosePlatform(entries, { os: 'linux', architecture: 'arm64', variant: 'v8' }), {
    reason: 'NotFound',
    message: 'no matching manifest for linux/arm64/v8 in the manifest list entries',
  });
  assert.equal(hostPlatform().os, 'linux');
});
