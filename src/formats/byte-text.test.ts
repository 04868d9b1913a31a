import assert from 'node:assert/strict';
import test from 'node:test';

import * as fc from 'fast-check';

import { bytesOfText, textOfBytes } from './byte-text.ts';

test('any bytes come back', () => {
  const hostile = fc
    .array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc3, 0xa9, 0xed, 0xa0, 0xf0, 0x9f, 0xff))
    .map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), hostile), (bytes) => {
      assert.deepEqual(Uint8Array.from(bytesOfText(textOfBytes(bytes))), bytes);
    }),
    { numRuns: 200 },
  );
});

test('UTF-8 is text as everywhere', () => {
  for (const text of ['etc/passwd', 'Főtanúsítvány', '🐋', '']) {
    assert.equal(textOfBytes(Buffer.from(text)), text);
    assert.deepEqual(bytesOfText(text), Buffer.from(text));
  }
  assert.equal(textOfBytes(Buffer.of(0x61, 0xff, 0x62)), 'a\udcffb');
});
