import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import * as fc from 'fast-check';

import { hasCode } from './errno.ts';
import { changeMode, deviceNumber, deviceParts, exchange, makeNode, renameNew, setTimes } from './files.ts';

test('times are exact to the nanosecond, before the epoch too, and do not follow links', (t) => {
  const folder = makeFolder(t);
  const path = join(folder, 'file');
  writeFileSync(path, '');
  symlinkSync('nowhere', join(folder, 'link'));
  for (const timeNs of [1_700_000_000_123_456_789n, 1n, 0n, -1_500_000_001n]) {
    setTimes(path, timeNs, timeNs);
    assert.equal(statSync(path, { bigint: true }).mtimeNs, timeNs);
    setTimes(join(folder, 'link'), timeNs, timeNs);
    assert.equal(lstatSync(join(folder, 'link'), { bigint: true }).mtimeNs, timeNs);
  }
});

test('device numbers survive the encoding of the kernel', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), (major, minor) => {
      assert.deepEqual(deviceParts(deviceNumber(major, minor)), { major, minor });
    }),
    { numRuns: 100 },
  );
  assert.equal(deviceNumber(8, 1), 0x801n);
});

test('modes are not changed through links', (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, 'file'), '', { mode: 0o600 });
  symlinkSync('file', join(folder, 'link'));
  changeMode(join(folder, 'file'), 0o4711);
  assert.throws(() => changeMode(join(folder, 'link'), 0o777));
  assert.equal(statSync(join(folder, 'file')).mode & 0o7777, 0o4711);
});

test('renames without replacing, and exchanges', (t) => {
  const folder = makeFolder(t);
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  writeFileSync(one, '1');
  writeFileSync(two, '2');
  assert.throws(
    () => renameNew(one, two),
    (error) => hasCode(error, 'EEXIST'),
  );
  exchange(one, two);
  assert.equal(readFileSync(one, 'utf8'), '2');
  makeNode(join(folder, 'pipe'), 'fifo', 0o600);
  assert.equal(lstatSync(join(folder, 'pipe')).isFIFO(), true);
});

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'files-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
