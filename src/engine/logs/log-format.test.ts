import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { LogRecord } from './container-log.ts';
import { LineSplitter, lineKind, LogLineParser } from './log-format.ts';

const line = (text: string): Buffer => Buffer.from(`${text}\n`);
const parseLogLine = (bytes: Buffer): LogRecord | undefined => new LogLineParser().parse(bytes);

test('a full line gets its newline back, a part does not', () => {
  const full = parseLogLine(line('2026-11-22T10:00:00.123456789+00:00 stdout F hello  world'));
  assert.deepEqual(full?.bytes.toString(), 'hello  world\n');
  assert.equal(full?.stream, 'stdout');
  assert.equal(full?.timeNs, BigInt(Date.parse('2026-11-22T10:00:00Z')) * 1_000_000n + 123456789n);
  const part = parseLogLine(line('2026-11-22T12:00:00.000000001+02:00 stderr P x'));
  assert.equal(part?.bytes.toString(), 'x');
  assert.equal(part?.timeNs, BigInt(Date.parse('2026-11-22T10:00:00Z')) * 1_000_000n + 1n);
  assert.deepEqual(lineKind(line('2026-11-22T12:00:00.000000001+02:00 stderr P x')), { stream: 'stderr', ends: false });
  assert.equal(parseLogLine(line('2026-11-22T10:00:00.123456789+00:00 stdout F '))?.bytes.toString(), '\n');
});

test('what is no line of a log is nothing', () => {
  for (const text of [
    '',
    'hello',
    '2026-11-22T10:00:00.1+00:00 stdout F x',
    '9999-99-99T99:99:99.000000000+00:00 stdout F x',
  ])
    assert.equal(parseLogLine(line(text)), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parseLogLine(Buffer.from(bytes));
      lineKind(Buffer.from(bytes));
    }),
    { numRuns: 200 },
  );
});

test('a line is read alike after whichever line', () => {
  const seconds = fc.constantFrom('2026-11-22T10:00:00.', '2026-11-22T10:00:01.', '12026-11-22T10:00:00.', 'x');
  const nanos = fc.constantFrom('000000000', '123456789', '12345678x', '1234');
  const rests = fc.constantFrom('+00:00 stdout F ', '+00:00 stdout P ', '+02:00 stderr F ', '+00:00 other F ', '');
  const header = fc.tuple(seconds, nanos, rests).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(header), (headers) => {
      const parser = new LogLineParser();
      for (const text of headers) assert.deepEqual(parser.parse(line(`${text}hi`)), parseLogLine(line(`${text}hi`)));
    }),
    { numRuns: 200 },
  );
});

test('the splitter gives the same lines however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 })), fc.array(fc.nat(30), { minLength: 1 }), (texts, cuts) => {
      const wanted = texts.map((text) => text.replaceAll('\n', ' '));
      const bytes = Buffer.from(wanted.map((text) => `${text}\n`).join(''));
      const splitter = new LineSplitter();
      const seen: string[] = [];
      for (let at = 0, index = 0; at < bytes.length; index += 1) {
        const length = (cuts[index % cuts.length] ?? 0) + 1;
        for (const piece of splitter.push(bytes.subarray(at, at + length))) seen.push(piece.toString());
        at += length;
      }
      assert.deepEqual(
        seen,
        wanted.map((text) => `${Buffer.from(text).toString()}\n`),
      );
    }),
    { numRuns: 200 },
  );
});

test('a line without end is not kept for ever', () => {
  const splitter = new LineSplitter();
  const block = Buffer.alloc(32 * 1024, 0x61);
  for (let count = 0; count < 10; count += 1) assert.deepEqual([...splitter.push(block)], []);
  const lines = [...splitter.push(Buffer.from('\nnext\n'))];
  assert.ok((lines[0]?.length ?? 0) <= 96 * 1024);
  assert.equal(lines[1]?.toString(), 'next\n');
});
