import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { DiskReserve } from './disk-reserve.ts';

test('room is taken whole, given back, and taken again', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reserve-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, '.reserve');
  const reserve = new DiskReserve(path, 20_000);
  reserve.give();
  reserve.take();
  const { ino } = statSync(path);
  reserve.take();
  assert.equal(statSync(path).ino, ino, 'taken once');
  assert.ok(statSync(path).blocks * 512 >= 20_000, 'blocks of its own');
  // What a full disk cut short is no reserve.
  truncateSync(path, 10);
  reserve.take();
  assert.equal(statSync(path).size, 20_000);
  reserve.give();
  assert.deepEqual(readdirSync(folder), []);
});

test('where no file can be there is an error, not silence', () => {
  assert.throws(() => new DiskReserve('/proc/none/.reserve', 1).take(), { code: 'ENOENT' });
});
