import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { SealedProgram } from './sealed-program.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sw-sealed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('SealedProgram', () => {
  test('runs, from one copy that nobody can write to', () => {
    using program = new SealedProgram('/bin/echo', 'echo');
    const { path } = program;
    assert.notEqual(path, '/bin/echo');
    assert.equal(execFileSync(path, ['hello'], { encoding: 'utf8' }), 'hello\n');
    assert.equal(program.path, path);
    assert.throws(() => writeFileSync(path, 'x'), { code: 'EPERM' });
    assert.deepEqual(readFileSync(path), readFileSync('/bin/echo'));
  });

  test('follows the file when that is replaced', (t) => {
    const original = join(folderFor(t), 'program');
    copyFileSync('/bin/echo', original);
    using program = new SealedProgram(original, 'program');
    assert.equal(execFileSync(program.path, ['a'], { encoding: 'utf8' }), 'a\n');
    copyFileSync('/bin/true', `${original}.new`);
    chmodSync(`${original}.new`, 0o755);
    renameSync(`${original}.new`, original);
    assert.equal(execFileSync(program.path, ['a'], { encoding: 'utf8' }), '');
  });

  test('the copy goes with it', () => {
    const program = new SealedProgram('/bin/echo', 'echo');
    const { path } = program;
    program[Symbol.dispose]();
    assert.equal(existsSync(path), false);
  });

  test('a program that is not there is an error', () => {
    using program = new SealedProgram('/nowhere/runc', 'runc');
    assert.throws(() => program.path, { code: 'ENOENT' });
  });
});
