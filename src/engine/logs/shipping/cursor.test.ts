import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { type Cursor, newCursor, readCursor, removeCursor, writeCursor } from './cursor.ts';

test('a cursor comes back as it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cursor-'));
  const path = join(folder, 'c.json');
  assert.equal(readCursor(path), undefined);
  const cursor: Cursor = {
    ...newCursor(),
    position: { generation: 3, offset: 70 },
    sent: 9,
    waiting: [
      { stream: 'stderr', timeNs: 1_700_000_000_000_000_001n, bytes: Buffer.from([0xff, 0]) },
      { stream: 'stdout', timeNs: 5n, bytes: Buffer.from('x'), given: { id: 'a', parts: 2 } },
    ],
  };
  writeCursor(path, cursor);
  assert.deepEqual(readCursor(path), cursor);
  removeCursor(path);
  removeCursor(path);
  assert.equal(readCursor(path), undefined);
  rmSync(folder, { recursive: true });
});

test('a damaged cursor is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cursor-'));
  const path = join(folder, 'c.json');
  const good = { position: { generation: 1, offset: 2 }, waiting: [], epoch: 'e', sent: 0 };
  for (const bad of [
    {},
    [],
    { ...good, position: { generation: -1, offset: 2 } },
    { ...good, sent: '0' },
    { ...good, waiting: [{}] },
    { ...good, waiting: [{ stream: 'stdout', timeNs: 'x', bytes: '' }] },
    { ...good, waiting: [{ stream: 'stdout', timeNs: '1', bytes: '', given: { id: 1 } }] },
  ]) {
    writeFileSync(path, JSON.stringify(bad));
    assert.equal(readCursor(path), undefined, JSON.stringify(bad));
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      writeFileSync(path, text);
      readCursor(path);
    }),
    { numRuns: 50 },
  );
  rmSync(folder, { recursive: true });
});
