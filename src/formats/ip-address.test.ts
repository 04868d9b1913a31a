import assert from 'node:assert/strict';
import { isIP, isIPv6 } from 'node:net';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { addressBytes, addressOfBytes, formatAddress, isLoopback, parseAddress } from './ip-address.ts';
import {
  addressAt,
  containsAddress,
  containsPrefix,
  formatPrefix,
  parsePrefix,
  prefixesOverlap,
  prefixSize,
} from './ip-prefix.ts';

const canonical: readonly (readonly [string, string])[] = [
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['fd00::192.0.2.1', 'fd00::c000:201'],
];

test('addresses are read in every form of RFC 4291 and written as RFC 5952 says', () => {
  for (const [text, expected] of canonical) {
    const address = parseAddress(text);
    assert.ok(address, text);
    assert.equal(formatAddress(address), expected);
  }
});

test('what is not an address is refused', () => {
  const wrong = ['', '1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '1.2.3.4 ', ':', ':::', '1::2::3', '1:2:3:4:5:6:7'];
  wrong.push('1:2:3:4:5:6:7:8:9', 'g::', '12345::', 'fe80::1%eth0', '1.2.3.4::', '::1.2.3.4:1', '1:2:3:4:5:6:7::8:');
  for (const text of wrong) assert.equal(parseAddress(text), undefined, text);
});

test('every address survives the way to text and to bytes', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, (given) => {
      const address = addressOfBytes(given);
      assert.ok(address);
      assert.deepEqual(addressBytes(address), given);
      const text = formatAddress(address);
      assert.notEqual(isIP(text), 0);
      assert.deepEqual(parseAddress(text), address);
    }),
    { numRuns: 200 },
  );
});

test('text is an IPv6 address for us when it is one for Node', () => {
  const word = fc.constantFrom(':', '::', '0', 'f', '1a2b', '1.2.3.4', '.', 'g', '00001');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 17 }), (words) => {
      const text = words.join('');
      assert.equal(parseAddress(text)?.family === 6, isIPv6(text), text);
    }),
    { numRuns: 200 },
  );
});

test('only loopback is loopback', () => {
  const loopback = ['127.0.0.1', '127.255.0.9', '::1', '128.0.0.1', '::2'].map((text) => {
    const address = parseAddress(text);
    return address !== undefined && isLoopback(address);
  });
  assert.deepEqual(loopback, [true, true, true, false, false]);
});

test('a prefix clears host bits, knows its size, and contains what lies within', () => {
  const prefix = parsePrefix('172.17.5.9/16');
  const inner = parsePrefix('172.17.128.0/17');
  const other = parsePrefix('172.18.0.0/16');
  const ipv6 = parsePrefix('fd00::/64');
  assert.ok(prefix && inner && other && ipv6);
  assert.equal(formatPrefix(prefix), '172.17.0.0/16');
  assert.equal(prefixSize(prefix), 65_536n);
  assert.equal(formatAddress(addressAt(prefix, 1n)), '172.17.0.1');
  assert.equal(formatAddress(addressAt(prefix, -1n)), '172.17.255.255');
  assert.ok(containsAddress(prefix, addressAt(prefix, -1n)));
  assert.ok(!containsAddress(prefix, other.address));
  assert.ok(!containsAddress(ipv6, prefix.address));
  assert.ok(containsPrefix(prefix, inner) && !containsPrefix(inner, prefix));
  assert.ok(prefixesOverlap(inner, prefix) && !prefixesOverlap(prefix, other) && !prefixesOverlap(prefix, ipv6));
  for (const text of ['1.2.3.4', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/08', '/8', '::/129', '1.2.3.4/8/8']) {
    assert.equal(parsePrefix(text), undefined, text);
  }
});
