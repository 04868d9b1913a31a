import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatMacAddress, macAddressOfIpv4, parseMacAddress } from './mac-address.ts';

test('MAC addresses are read with colons or dashes and written with colons', () => {
  for (const text of ['02:42:AC:11:00:02', '02-42-ac-11-00-02']) {
    const bytes = parseMacAddress(text);
    assert.ok(bytes);
    assert.equal(formatMacAddress(bytes), '02:42:ac:11:00:02');
  }
});

test('group addresses and everything else are refused', () => {
  for (const text of [
    '',
    '02:42:ac:11:00',
    '02:42:ac:11:00:02:03',
    '03:42:ac:11:00:02',
    'ff:ff:ff:ff:ff:ff',
    '0g:00:00:00:00:00',
  ]) {
    assert.equal(parseMacAddress(text), undefined, text);
  }
});

test('the address of a container follows from its IPv4 address', () => {
  assert.equal(macAddressOfIpv4(Uint8Array.of(172, 17, 0, 2)), '02:42:ac:11:00:02');
});
