import assert from 'node:assert/strict';
import { test } from 'node:test';

import { labelsText, selectorText, shortList } from './labels.ts';

test('labels and selectors as text', () => {
  assert.equal(labelsText({ b: '2', a: '1' }), 'a=1,b=2');
  assert.equal(labelsText({}), '<none>');
  assert.equal(selectorText(undefined), '<none>');
  assert.equal(selectorText({ matchLabels: { a: 'b' } }), 'a=b');
  assert.equal(selectorText({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), '<error>');
});

test('lists are cut', () => {
  assert.equal(shortList([], 3, '<unset>'), '<unset>');
  assert.equal(shortList(['a', 'b'], 3, ''), 'a,b');
  assert.equal(shortList(['a', 'b', 'c', 'd', 'e'], 3, ''), 'a,b,c + 2 more...');
});
