import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isEqualJson } from './json.ts';

test('equal JSON', () => {
  assert.ok(isEqualJson({ a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] }));
  for (const [one, other] of [
    [1, '1'],
    [null, undefined],
    [null, {}],
    [[], {}],
    [[1], [1, 2]],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: [1] }, { a: [2] }],
  ])
    assert.ok(!isEqualJson(one, other), JSON.stringify([one, other]));
});
