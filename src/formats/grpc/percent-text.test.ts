import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { percentDecoded, percentEncoded } from './percent-text.ts';

test('any text comes back, and travels as printable ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = percentEncoded(Buffer.from(text));
      assert.match(encoded, /^[ -~]*$/);
      assert.equal(percentDecoded(encoded), Buffer.from(text).toString());
    }),
  );
});

test('what is not encoded as it should be is taken as it is', () => {
  assert.equal(percentDecoded('100% sure'), '100% sure');
  assert.equal(percentDecoded('%ff'), '%ff');
});
