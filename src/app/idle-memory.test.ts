import assert from 'node:assert/strict';
import { test } from 'node:test';

import { planLook } from './idle-memory.ts';

/** Looks one after the other, each with the CPU time that was used before it, and what is done at each. */
function plansOf(usedMs: readonly number[]): readonly (string | undefined)[] {
  let marks = { now: 0, lastLook: 0, lastCollect: 0, lastTrim: 0 };
  return usedMs.map((used) => {
    const now = marks.now + used;
    const plan = planLook({ ...marks, now });
    marks = {
      now,
      lastLook: now,
      lastCollect: plan === 'collect' ? now : marks.lastCollect,
      lastTrim: plan === undefined ? marks.lastTrim : now,
    };
    return plan;
  });
}

test('garbage is collected once when the work is over', () => {
  assert.deepEqual(plansOf([1500, 0, 0, 0]), [undefined, 'collect', undefined, undefined]);
});

test('while there is work, only free pages go back, and seldom', () => {
  assert.deepEqual(plansOf([1500, 1500, 1500, 1500, 10]), [undefined, 'trim', undefined, 'trim', 'collect']);
});

test('little work counts until it is worth while', () => {
  assert.deepEqual(plansOf([600, 1, ...Array<number>(9).fill(50), 50]), [
    undefined,
    'collect',
    ...Array<undefined>(9).fill(undefined),
    'collect',
  ]);
});
