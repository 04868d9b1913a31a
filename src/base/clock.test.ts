import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nowMs, nowNs } from './clock.ts';

test('nanoseconds follow the clock of the machine when that is set', (t) => {
  const differenceMs = (): number => Number(nowNs() / 1_000_000n) - nowMs();
  assert.ok(Math.abs(differenceMs()) < 60_000);
  const hourMs = 3_600_000;
  const real = Date.now.bind(Date);
  for (const shiftMs of [-hourMs, hourMs]) {
    const mock = t.mock.method(Date, 'now', () => real() + shiftMs);
    assert.ok(Math.abs(differenceMs()) < 60_000, String(shiftMs));
    assert.ok(Math.abs(Number(nowNs() / 1_000_000n) - real() - shiftMs) < 60_000);
    mock.mock.restore();
  }
});
