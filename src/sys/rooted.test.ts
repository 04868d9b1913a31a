import assert from 'node:assert/strict';
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { hasCode } from './errno.ts';
import { existsInRoot, makeFoldersInRoot, openBeneath, openInRoot } from './rooted.ts';

test('links and dots stay inside the root', (t) => {
  const { root } = makeRoot(t);
  writeFileSync(join(root, 'inside'), 'mine');
  for (const path of ['inside', '/inside', '../../inside', 'absolute', 'dots', 'a/../inside', 'a/up/inside']) {
    using file = openInRoot(root, path, constants.O_RDONLY);
    assert.equal(readFileSync(file.fd, 'utf8'), 'mine', path);
  }
});

test('beneath refuses what would leave', (t) => {
  const { root } = makeRoot(t);
  writeFileSync(join(root, 'inside'), 'mine');
  for (const path of ['/inside', '../x', 'absolute', 'dots'])
    assert.throws(
      () => openBeneath(root, path),
      (error) => hasCode(error, 'EXDEV'),
      path,
    );
  using file = openBeneath(root, 'a/up/inside', constants.O_RDONLY);
  assert.equal(readFileSync(file.fd, 'utf8'), 'mine');
});

test('makes folders inside, through links too', (t) => {
  const { root, outside } = makeRoot(t);
  mkdirSync(join(root, 'real'));
  symlinkSync(outside, join(root, 'escape'));
  symlinkSync('/real', join(root, 'link'));
  makeFoldersInRoot(root, '/link/one/two');
  assert.equal(existsSync(join(root, 'real/one/two')), true);
  assert.throws(() => makeFoldersInRoot(root, 'escape/one'));
  assert.equal(existsSync(join(outside, 'one')), false);
  assert.equal(existsInRoot(root, 'link/one'), true);
  assert.equal(existsInRoot(root, 'escape'), true);
  assert.equal(existsInRoot(root, 'escape/one'), false);
});

function makeRoot(t: TestContext): { root: string; outside: string } {
  const folder = mkdtempSync(join(tmpdir(), 'rooted-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [root, outside] = [join(folder, 'root'), join(folder, 'outside')];
  mkdirSync(join(root, 'a'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'inside'), 'foreign');
  symlinkSync('/inside', join(root, 'absolute'));
  symlinkSync('../../inside', join(root, 'dots'));
  symlinkSync('..', join(root, 'a/up'));
  return { root, outside };
}
