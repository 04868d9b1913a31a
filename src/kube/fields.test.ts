import assert from 'node:assert/strict';
import { test } from 'node:test';

import { objectOf, objectsOf, textOf, textsOf } from './fields.ts';

test('values of the wrong type count as absent', () => {
  assert.deepEqual([textOf('a'), textOf(1), textOf(undefined)], ['a', '', '']);
  assert.deepEqual([objectOf({ a: 1 }), objectOf([]), objectOf(null)], [{ a: 1 }, {}, {}]);
  assert.deepEqual([objectsOf([{}, 1, null]), objectsOf({})], [[{}], []]);
  assert.deepEqual([textsOf(['a', 1]), textsOf('a')], [['a'], []]);
});
