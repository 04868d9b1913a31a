import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { prefixEnd } from './prefix-end.ts';

const text = fc.string({ unit: 'binary', maxLength: 6 }).filter((one) => one.isWellFormed());

test('the end of a prefix is above all that start with it, and nothing else is below', () => {
  fc.assert(
    fc.property(text, text, (prefix, other) => {
      const end = prefixEnd(prefix);
      assert.ok(end === undefined || compare(prefix + other, end) < 0);
      const isWithin = compare(other, prefix) >= 0 && (end === undefined || compare(other, end) < 0);
      assert.equal(isWithin, other.startsWith(prefix));
    }),
  );
});

test('ends at the borders of Unicode', () => {
  assert.equal(prefixEnd(''), undefined);
  assert.equal(prefixEnd('/a/'), '/a0');
  assert.equal(prefixEnd('a\u{10ffff}'), 'b');
  assert.equal(prefixEnd('\u{10ffff}'), undefined);
  assert.equal(prefixEnd('\ud7ff'), '\ue000');
});

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
