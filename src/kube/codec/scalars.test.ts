import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { goDurationNs } from '#formats/go-duration.ts';

import { goTypeName } from './go-type-name.ts';
import { parseTime, timeText } from './go-time.ts';
import { durationText, readScalar } from './read-scalar.ts';

describe('times', () => {
  for (const [text, form] of [
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.999Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05+02:30', '2026-01-02T00:34:05Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ] as const)
    test(`${text} is ${form}`, () => {
      assert.deepEqual(parseTime(text, 'time'), { text: form });
    });

  for (const [text, error] of [
    ['2026-01-02', `as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"`],
    ['2026-13-02T03:04:05Z', ': month out of range'],
    ['2025-02-29T00:00:00Z', ': day out of range'],
    ['2026-01-02T24:04:05Z', ': hour out of range'],
    ['2026-01-02T03:04:05', `as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"`],
    ['2026-01-02T03:04:05Zx', ': extra text: "x"'],
  ] as const)
    test(`${text} is none`, () => {
      const parsed = parseTime(text, 'time');
      assert.ok('error' in parsed);
      assert.ok(
        parsed.error.startsWith(`parsing time ${JSON.stringify(text)}`) && parsed.error.endsWith(error),
        parsed.error,
      );
    });

  test('of six digits have six digits', () => {
    assert.deepEqual(parseTime('2026-01-02T03:04:05.000012Z', 'micro-time'), { text: '2026-01-02T03:04:05.000012Z' });
    assert.ok('error' in parseTime('2026-01-02T03:04:05Z', 'micro-time'));
    assert.equal(timeText(-1, 1000, 'micro-time'), '1969-12-31T23:59:59.000001Z');
  });
});

describe('durations', () => {
  test('are read and written as Go does', () => {
    for (const text of ['0s', '1ns', '1.5ms', '10s', '1m0s', '1h30m0s', '-1m30.5s', '5µs'])
      assert.equal(durationText(goDurationNs(text) ?? Number.NaN), text);
    assert.equal(goDurationNs('1h15m30.5s'), 4_530_500_000_000);
    for (const text of ['', '1', 's', '1d', '1 s']) assert.equal(goDurationNs(text), undefined, text);
  });
});

describe('scalars', () => {
  test('base64 has one form, or an error that says where', () => {
    const said: string[] = [];
    const report = {
      mismatch: () => assert.fail(),
      save: (message: string) => void said.push(message),
      abort: () => assert.fail(),
    };
    const schema = { type: 'scalar', scalar: 'bytes', values: [] } as const;
    assert.equal(readScalar('aGVs\nbG8=', schema, report), 'aGVsbG8=');
    for (const text of ['aGV$', 'aGVsbG8', '=']) readScalar(text, schema, report);
    assert.deepEqual(
      said,
      [3, 7, 0].map((at) => `illegal base64 data at input byte ${String(at)}`),
    );
  });

  test('types have the names that Go gives them', () => {
    const text = { type: 'scalar', scalar: 'string', values: [] } as const;
    assert.equal(goTypeName({ type: 'map', values: text, isAtomic: false }), 'map[string]string');
    assert.equal(goTypeName({ type: 'list', items: text, kind: 'set', keys: [] }), '[]string');
    assert.equal(
      goTypeName({ type: 'map', values: text, isAtomic: false, goName: 'v1.ResourceList' }),
      'v1.ResourceList',
    );
  });
});
