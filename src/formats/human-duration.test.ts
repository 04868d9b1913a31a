import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { formatHumanDuration } from './human-duration.ts';

const [minute, hour, day, year] = [60, 3600, 86_400, 365 * 86_400];

/** Seconds and what they are shown as. */
const rows: readonly (readonly [number, string])[] = [
  [-5, '<invalid>'],
  [-1.5, '0s'],
  [-0.4, '0s'],
  [0, '0s'],
  [119.9, '119s'],
  [2 * minute, '2m'],
  [2 * minute + 1, '2m1s'],
  [9 * minute + 59, '9m59s'],
  [10 * minute + 30, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 20 * minute, '3h20m'],
  [8 * hour + 20 * minute, '8h'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [2 * day + 5 * hour, '2d5h'],
  [8 * day + 5 * hour, '8d'],
  [729 * day, '729d'],
  [2 * year, '2y'],
  [2 * year + 3 * day, '2y3d'],
  [8 * year + 3 * day, '8y'],
  [100 * year, '100y'],
];

describe('human duration', () => {
  for (const [seconds, text] of rows) {
    test(`${String(seconds)} s is ${text}`, () => assert.equal(formatHumanDuration(seconds * 1000), text));
  }
});
