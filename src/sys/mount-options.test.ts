import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mountFlags, parseMountOptions } from './mount-options.ts';

test('parseMountOptions() sorts flags from the filesystem’s own options', () => {
  const { flags, data } = parseMountOptions(['ro', 'nosuid', 'addr=10.0.0.1', 'vers=4', 'noatime', '']);
  assert.equal(flags, mountFlags.readOnly | mountFlags.nosuid | mountFlags.noatime);
  assert.equal(data, 'addr=10.0.0.1,vers=4');
});

test('parseMountOptions() lets the last of two opposites count', () => {
  assert.equal(parseMountOptions(['ro', 'rw']).flags, 0);
  assert.equal(parseMountOptions(['rw', 'ro']).flags, mountFlags.readOnly);
  assert.equal(parseMountOptions(['rbind']).flags, mountFlags.bind | mountFlags.recursive);
});

test('parseMountOptions() takes the names of built-in properties as options of the filesystem', () => {
  assert.deepEqual(parseMountOptions(['constructor', 'toString']), { flags: 0, data: 'constructor,toString' });
});
