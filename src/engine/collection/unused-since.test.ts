import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { silentLogger } from '#base/logger.ts';

import { UnusedSince } from './unused-since.ts';

function path(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'unused-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'unused.json');
}

test('the time counts from the first look that found it unused, over restarts and until it is used', async (t) => {
  const file = path(t);
  const first = new UnusedSince(file, silentLogger);
  assert.deepEqual([...(await first.look(['sha256:a'], 100))], [['sha256:a', 100]]);
  assert.deepEqual([...(await first.look(['sha256:a', 'sha256:b'], 200)).values()], [100, 200]);
  const second = new UnusedSince(file, silentLogger);
  assert.deepEqual([...(await second.look(['sha256:b'], 300))], [['sha256:b', 200]]);
  assert.deepEqual([...(await second.look(['sha256:a', 'sha256:b'], 400)).values()], [400, 200]);
});

test('a clock that went back, and a file that is damaged, only cost time', async (t) => {
  const file = path(t);
  const since = new UnusedSince(file, silentLogger);
  await since.look(['sha256:a'], 500);
  assert.deepEqual([...(await since.look(['sha256:a'], 300)).values()], [300]);
  writeFileSync(file, '{"sha256:a":');
  assert.deepEqual([...(await new UnusedSince(file, silentLogger).look(['sha256:a'], 900)).values()], [900]);
});
