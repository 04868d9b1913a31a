import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { separateControllers } from './hybrid-cgroups.ts';

test('has nothing to do where all controllers are of one kind', (t) => {
  const root = makeRoot(t);
  assert.deepEqual(separateControllers(root), []);
  mkdirSync(join(root, 'unified'));
  writeFileSync(join(root, 'unified', 'cgroup.controllers'), '\n');
  assert.deepEqual(separateControllers(root), []);
  writeFileSync(join(root, 'cgroup.controllers'), 'cpu memory\n');
  writeFileSync(join(root, 'unified', 'cgroup.controllers'), 'hugetlb\n');
  assert.deepEqual(separateControllers(root), [], 'a pure v2 tree');
});

test('says which controllers stay where they are, and leaves no folder', (t) => {
  const root = makeRoot(t);
  mkdirSync(join(root, 'unified'));
  writeFileSync(join(root, 'unified', 'cgroup.controllers'), 'no_such_controller\n');
  assert.deepEqual(separateControllers(root), ['no_such_controller']);
  assert.equal(existsSync(join(root, 'no_such_controller')), false);
});

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'slipway-cgroups-'));
  t.after(() => rmSync(root, { recursive: true }));
  return root;
}
