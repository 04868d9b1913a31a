import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { humanDuration } from './human-duration.ts';
import { isoToNs, nsToFixedIso, nsToIso, parsePointInTime, parseUnixTime } from './timestamp.ts';

const second = 1_000_000_000n;

describe('times', () => {
  test('Unix times have up to nine decimals', () => {
    assert.equal(parseUnixTime('5'), 5n * second);
    assert.equal(parseUnixTime('1700000000.5'), 1_700_000_000_500_000_000n);
    assert.equal(parseUnixTime('1700000000.000000001'), 1_700_000_000_000_000_001n);
    for (const bad of ['', 'x', '-1', '1.', '1.0000000001', '2020-01-01']) {
      assert.throws(() => parseUnixTime(bad), { reason: 'InvalidArgument' }, bad);
    }
  });

  test('a point in time can be a duration back or a date', () => {
    const now = 1_000_000n * second;
    assert.equal(parsePointInTime('1h30m', now), now - 5400n * second);
    assert.equal(parsePointInTime('10', now), 10n * second);
    assert.equal(parsePointInTime('1970-01-01T00:01:00Z', now), 60n * second);
    assert.throws(() => parsePointInTime('soon', now), { reason: 'InvalidArgument' });
  });

  test('nanoseconds survive text', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000n * second }), (time) => {
        assert.equal(isoToNs(nsToIso(time)), time);
        assert.equal(isoToNs(nsToFixedIso(time)), time);
      }),
      { numRuns: 200, seed: 1 },
    );
    assert.equal(nsToIso(1_700_000_000_120_000_000n), '2023-11-14T22:13:20.12Z');
    assert.equal(nsToFixedIso(1_700_000_000_000_000_001n), '2023-11-14T22:13:20.000000001Z');
  });
});

describe('durations in words', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [119, 'About a minute'],
    [120, '2 minutes'],
    [3599, '59 minutes'],
    [3600, 'About an hour'],
    [2 * 3600, '2 hours'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [13 * 86_400, '13 days'],
    [14 * 86_400, '2 weeks'],
    [60 * 86_400, '2 months'],
    [730 * 86_400, '2 years'],
  ];
  for (const [seconds, words] of cases) test(words, () => assert.equal(humanDuration(seconds), words));
});
