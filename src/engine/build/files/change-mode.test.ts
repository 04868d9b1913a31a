import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseModeChange } from './change-mode.ts';

const table: readonly (readonly [string, number, boolean, number])[] = [
  ['644', 0o755, false, 0o644],
  ['0', 0o755, true, 0],
  ['07777', 0, false, 0o7777],
  ['u+x', 0o644, false, 0o744],
  ['+x', 0o644, false, 0o755],
  ['go-rwx', 0o777, false, 0o700],
  ['a=r', 0o777, false, 0o444],
  ['u=rwX,go=rX', 0o600, false, 0o644],
  ['u=rwX,go=rX', 0o600, true, 0o755],
  ['u=rwX,go=rX', 0o711, false, 0o755],
  ['u+s', 0o755, false, 0o4755],
  ['g+s', 0o755, false, 0o2755],
  ['+t', 0o755, false, 0o1755],
  ['u+r-w', 0o200, false, 0o400],
  ['u=', 0o777, false, 0o077],
];
for (const [text, mode, isFolder, expected] of table)
  test(`${text} on ${mode.toString(8)}${isFolder ? ' of a folder' : ''}`, () =>
    assert.equal(parseModeChange(text)(mode, isFolder).toString(8), expected.toString(8)));

for (const text of ['8', '10000', '777777', 'u', 'x+u', 'u+q', 'u+x,', '0x1', '-1'])
  test(`${text} is refused`, () => assert.throws(() => parseModeChange(text), /invalid chmod parameter/));
