import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseAddress } from '#formats/ip-address.ts';

import { encodeSocketAddress } from './inet-socket.ts';

test('socket addresses have the layout of the kernel', () => {
  const encode = (text: string): string => {
    const address = parseAddress(text);
    assert.ok(address);
    return encodeSocketAddress(address, 8080).toString('hex');
  };
  assert.equal(encode('192.0.2.1'), '02001f90c00002010000000000000000');
  assert.equal(encode('fd00::1'), '0a001f9000000000fd00000000000000000000000000000100000000');
});
