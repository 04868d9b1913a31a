import assert from 'node:assert/strict';
import { test } from 'node:test';

import { percentOf, scaledCount } from './int-or-percent.ts';

test('reads percentages', () => {
  assert.equal(percentOf('25%'), 25);
  assert.equal(percentOf('0%'), 0);
  for (const value of ['25', '-1%', '2.5%', '%', 'x%', 25]) assert.equal(percentOf(value), undefined);
});

test('scales shares and leaves counts as they are', () => {
  assert.equal(scaledCount(3, 10, 'up'), 3);
  assert.equal(scaledCount('25%', 10, 'up'), 3);
  assert.equal(scaledCount('25%', 10, 'down'), 2);
  assert.equal(scaledCount('100%', 7, 'down'), 7);
  assert.equal(scaledCount('seven', 7, 'down'), undefined);
});
