import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { lastLines, readLog } from './log-reader.ts';

function logPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'slipway.log');
}

const last = (path: string, count: number): readonly string[] => {
  const lines: string[] = [];
  lastLines(path, count, (line) => lines.push(line));
  return lines;
};

test('the last lines reach back into the file before', (t) => {
  const path = logPath(t);
  assert.equal(
    lastLines(path, 5, () => {}),
    undefined,
  );
  writeFileSync(`${path}.1`, 'one\ntwo\n');
  writeFileSync(path, 'three\nfour\nunfinished');
  assert.deepEqual(last(path, 1), ['four']);
  assert.deepEqual(last(path, 3), ['two', 'three', 'four']);
  assert.deepEqual(last(path, 9), ['one', 'two', 'three', 'four']);
  assert.deepEqual(last(path, 0), []);
});

test('reading goes on where it ended, by whole lines, and starts over in an emptied file', (t) => {
  const path = logPath(t);
  writeFileSync(path, 'größe\nhal');
  const first = readLog(path, 0);
  assert.deepEqual(first, { text: 'größe\n', end: 8 });
  appendFileSync(path, 'f\n');
  assert.deepEqual(readLog(path, first?.end ?? 0), { text: 'half\n', end: 13 });
  truncateSync(path);
  appendFileSync(path, 'new\n');
  assert.deepEqual(readLog(path, 13), { text: 'new\n', end: 4 });
});
