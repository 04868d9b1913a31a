import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { RegistryError } from '../registry-error.ts';
import { parsePieceStart, parseRange } from './byte-range.ts';

test('a range lies within the blob, or is refused, or is none', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,17}-\d{0,17}$/));
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 100 }), (header, sizeBytes) => {
      try {
        const range = parseRange(header, sizeBytes);
        if (range === undefined) return;
        assert.ok(range.start >= 0 && range.start <= range.end && range.end < sizeBytes);
      } catch (error) {
        assert.ok(error instanceof RegistryError && error.code === 'RANGE_INVALID');
      }
    }),
  );
  assert.deepEqual(parseRange('bytes=-200', 100), { start: 0, end: 99 });
  assert.equal(parseRange(undefined, 100), undefined);
  assert.equal(parseRange('bytes=0-1,5-6', 100), undefined);
});

test('a piece says where it begins, in the words of registries and of HTTP', () => {
  assert.equal(parsePieceStart(undefined), undefined);
  assert.equal(parsePieceStart('10-19'), 10);
  assert.equal(parsePieceStart('bytes 10-19/100'), 10);
  for (const wrong of ['', '-5', 'a-b', '10']) assert.throws(() => parsePieceStart(wrong), RegistryError);
});
