import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newId, randomBelow, shortId } from './ids.ts';

test('IDs are 64 digits, each another, and their short form is no number', () => {
  const ids = Array.from({ length: 20_000 }, newId);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.match(shortId(id), /[a-f]/);
  }
});

test('short forms leave the algorithm away', () => {
  assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab');
});

test('random numbers stay below their limit', () => {
  assert.ok(Array.from({ length: 100 }, () => randomBelow(3)).every((value) => [0, 1, 2].includes(value)));
});
