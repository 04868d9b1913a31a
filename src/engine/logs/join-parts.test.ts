import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { LogRecord } from './container-log.ts';
import { PartJoiner } from './join-parts.ts';

const record = (timeNs: number, stream: LogRecord['stream'], text: string): LogRecord => ({
  timeNs: BigInt(timeNs),
  stream,
  bytes: Buffer.from(text),
});

function joined(records: readonly LogRecord[]): readonly (readonly [number, string, string])[] {
  const joiner = new PartJoiner();
  const lines = [...records.flatMap((one) => joiner.join([one])), ...joiner.end()];
  return lines.map((line) => [Number(line.timeNs), line.stream, Buffer.from(line.bytes).toString()]);
}

test('parts become lines, each stream for itself, with the time of the beginning', () => {
  const records = [
    record(1, 'stdout', 'a'),
    record(2, 'stderr', 'x'),
    record(3, 'stdout', 'b'),
    record(4, 'stderr', 'y\n'),
    record(5, 'stdout', 'c\n'),
    record(6, 'stdout', 'whole\n'),
    record(7, 'stdout', 'end'),
  ];
  assert.deepEqual(joined(records), [
    [2, 'stderr', 'xy\n'],
    [1, 'stdout', 'abc\n'],
    [6, 'stdout', 'whole\n'],
    [7, 'stdout', 'end'],
  ]);
});

test('a line without end is given in parts', () => {
  const part = 'z'.repeat(8192);
  const lines = joined([1, 2, 3, 4, 5].map((time) => record(time, 'stdout', part)));
  assert.deepEqual(
    lines.map(([time, , text]) => [time, text.length]),
    [
      [1, 16_384],
      [3, 16_384],
      [5, 8192],
    ],
  );
});

test('no byte is lost or changes its place in its stream', () => {
  const parts = fc.array(
    fc.record({ error: fc.boolean(), text: fc.constantFrom('a', 'b\n', '\n', 'long'.repeat(3000)) }),
  );
  fc.assert(
    fc.property(parts, (pieces) => {
      const records = pieces.map(({ error, text }, index) => record(index, error ? 'stderr' : 'stdout', text));
      for (const stream of ['stdout', 'stderr'] as const) {
        const wanted = records.filter((one) => one.stream === stream).map((one) => Buffer.from(one.bytes).toString());
        const found = joined(records).flatMap(([, of, text]) => (of === stream ? [text] : []));
        assert.equal(found.join(''), wanted.join(''));
      }
    }),
    { numRuns: 100 },
  );
});
