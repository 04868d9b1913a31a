import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseGoDuration } from './go-duration.ts';

const good: Readonly<Record<string, number>> = {
  '0': 0,
  '5s': 5e9,
  '1m30s': 90e9,
  '1.5h': 5400e9,
  '100ms': 1e8,
  '2us': 2000,
  '2µs': 2000,
  '.5s': 5e8,
  '1.s': 1e9,
  '-1s': -1e9,
  '+1s': 1e9,
};
for (const [text, expected] of Object.entries(good))
  test(`${text} is ${String(expected)} ns`, () => assert.equal(parseGoDuration(text), expected));

for (const text of ['', '5', 's', '.s', '1x', '1 s', '1s 2s', '-', '9999999999h'])
  test(`"${text}" is refused`, () => assert.throws(() => parseGoDuration(text), /time: invalid duration/));
