import assert from 'node:assert/strict';
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { diskUsage } from './disk-usage.ts';

test('diskUsage() counts blocks, a file with two names once, and holes not at all', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'usage-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'inner'));
  writeFileSync(join(folder, 'inner/file'), Buffer.alloc(10_000, 1));
  linkSync(join(folder, 'inner/file'), join(folder, 'same'));
  const sparse = openSync(join(folder, 'sparse'), 'w');
  writeSync(sparse, 'end', 50_000_000);
  closeSync(sparse);
  const blocks = ['', 'inner', 'inner/file', 'sparse'].map((name) => lstatSync(join(folder, name)).blocks);
  const sum = blocks.reduce((one, other) => one + other, 0) * 512;
  assert.equal(await diskUsage(folder, new AbortController().signal), sum);
  assert.ok(sum < 1_000_000);
});
