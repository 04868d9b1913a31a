import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { lookUpOwner } from './owner.ts';

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'slipway-owner-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:\nbad:x:many:1\napp2:x:5:6\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nstaff:x:50:a,b\n');
  return root;
}

test('names and numbers', (t) => {
  const root = makeRoot(t);
  const found = (text: string): readonly number[] => Object.values(lookUpOwner(root, text));
  assert.deepEqual(found('app'), [1000, 1001]);
  assert.deepEqual(found('app:staff'), [1000, 50]);
  assert.deepEqual(found('app:7'), [1000, 7]);
  assert.deepEqual(found('7'), [7, 7]);
  assert.deepEqual(found('7:8'), [7, 8]);
  assert.deepEqual(found(':staff'), [0, 50]);
  assert.deepEqual(found(''), [0, 0]);
  for (const text of ['ap', 'bad', 'app:nogroup', 'staff'])
    assert.throws(() => lookUpOwner(root, text), /unable to find/);
  assert.throws(() => lookUpOwner(root, '4294967295'), /out of range/);
});

test('a passwd that is a link stays inside, one that is missing has no names', (t) => {
  const root = makeRoot(t);
  rmSync(join(root, 'etc/passwd'));
  symlinkSync('/etc/passwd', join(root, 'passwd'));
  assert.throws(() => lookUpOwner(root, 'root'), /unable to find user root/);
  symlinkSync('../elsewhere', join(root, 'etc/passwd'));
  writeFileSync(join(root, 'elsewhere'), 'in:x:3:4');
  assert.deepEqual(lookUpOwner(root, 'in'), { uid: 3, gid: 4 });
});
