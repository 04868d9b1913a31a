import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatTime, never, timeMs } from './timestamps.ts';

test('times are printed as Docker prints them, to the nanosecond', () => {
  const second = BigInt(Date.parse('2026-11-22T10:00:00Z')) * 1_000_000n;
  assert.equal(formatTime(second), '2026-11-22T10:00:00Z');
  assert.equal(formatTime(second + 1n), '2026-11-22T10:00:00.000000001Z');
  assert.equal(formatTime(second + 120_000_000n), '2026-11-22T10:00:00.12Z');
  assert.equal(timeMs(formatTime(second + 120_000_000n)), Number(second / 1_000_000n) + 120);
  assert.equal(timeMs(never), 0);
});
