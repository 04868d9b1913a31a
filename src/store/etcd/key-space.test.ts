import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { KeySpace } from './key-space.ts';

const part = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'ä', '\u{1f600}'), maxLength: 5 });

test('a range has the keys with the prefix that are greater, and no others', () => {
  fc.assert(
    fc.property(part, part, part, part, (own, prefix, after, key) => {
      fc.pre(key !== '');
      const space = new KeySpace(own);
      const { key: start, rangeEnd } = space.range(prefix, after);
      const bytes = space.bytesOf(key);
      const isBelowEnd = isNul(rangeEnd) || Buffer.compare(bytes, rangeEnd) < 0;
      const isWithin = Buffer.compare(bytes, start) >= 0 && isBelowEnd;
      assert.equal(isWithin, key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
      assert.equal(space.keyOf(bytes), key);
    }),
  );
});

test('the range of all keys has neither start nor end', () => {
  const everything = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };
  assert.deepEqual(new KeySpace('').range(''), everything);
  assert.deepEqual(new KeySpace('/ours').everything, everything);
  assert.equal(new KeySpace('/ours').keyOf(Buffer.from('/others/a')), undefined);
});

function isNul(bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === 0;
}
