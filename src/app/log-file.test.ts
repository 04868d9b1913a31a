import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { openLogFile } from './log-file.ts';

test('the log keeps its last lines within twice its bound', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'deep/slipway.log');
  const boundBytes = 1000;
  {
    using log = openLogFile(path, boundBytes);
    for (let index = 0; index < 500; index += 1) log.write(`line ${String(index)}\n`);
  }
  assert.ok(statSync(path).size <= 2 * boundBytes);
  assert.ok(statSync(`${path}.1`).size <= 2 * boundBytes);
  const kept = readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8');
  assert.ok(kept.endsWith('line 498\nline 499\n'));

  using again = openLogFile(path, boundBytes);
  again.write('more\n');
  assert.ok(readFileSync(path, 'utf8').endsWith('line 499\nmore\n'));
});
