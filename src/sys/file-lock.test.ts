import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { lockFile } from './file-lock.ts';

test('a file is locked by one holder at a time, who is named to the others', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.lock');

  {
    using first = lockFile(path) as Disposable;
    assert.ok(Symbol.dispose in first);
    assert.deepEqual(lockFile(path), { holderPid: process.pid });
  }
  using again = lockFile(path) as Disposable;
  assert.ok(Symbol.dispose in again);
  assert.equal(readFileSync(path, 'utf8'), `${String(process.pid)}\n`);
});
