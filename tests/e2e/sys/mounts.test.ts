import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { hasCode } from '#sys/errno.ts';
import { makeWhiteout, syncFilesystem } from '#sys/files.ts';
import { isMountPoint, readMounts } from '#sys/mount-info.ts';
import {
  bindMount,
  makeReadOnly,
  mountOverlay,
  mountTmpfs,
  setPropagation,
  unmount,
  unmountTree,
} from '#sys/mounts.ts';
import { getXattr, listXattrs, readXattrs, removeXattr, setXattr } from '#sys/xattrs.ts';

test('binds, makes read-only with all below, and unmounts once', (t) => {
  const folder = makeFolder(t);
  const [source, target] = [join(folder, 'source'), join(folder, 'target')];
  mkdirSync(join(source, 'inner'), { recursive: true });
  mkdirSync(target);
  mountTmpfs(join(source, 'inner'), 'size=1m');
  bindMount(source, target, { recursive: true });
  setPropagation(target, 'private', true);
  makeReadOnly(target, true);
  for (const path of ['file', 'inner/file'])
    assert.throws(
      () => writeFileSync(join(target, path), ''),
      (error) => hasCode(error, 'EROFS'),
    );
  writeFileSync(join(source, 'inner/file'), 'seen');
  assert.equal(readFileSync(join(target, 'inner/file'), 'utf8'), 'seen');
  assert.equal(readMounts().find(({ mountPoint }) => mountPoint === join(target, 'inner'))?.options[1], 'nosuid');
  unmountTree(target);
  assert.equal(isMountPoint(target), false);
  assert.equal(unmount(target), false);
  assert.equal(unmount(join(folder, 'nothing')), false);
});

test('128 lower folders fit into one page of options', (t) => {
  const folder = makeFolder(t);
  const lowers = Array.from({ length: 128 }, (_, index) => `${String(1000 + index)}/fs`);
  for (const [index, lower] of lowers.entries()) {
    mkdirSync(join(folder, lower), { recursive: true });
    writeFileSync(join(folder, lower, `file${String(index)}`), String(index));
    writeFileSync(join(folder, lower, 'same'), String(index));
  }
  const [target, upper, work] = ['target', 'upper', 'work'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [target, upper, work]) mkdirSync(path);
  makeWhiteout(join(upper, 'file5'));
  const before = process.cwd();
  mountOverlay({ target, lowers, upper, work, folder, options: ['redirect_dir=off', 'metacopy=off'] });
  assert.equal(process.cwd(), before);
  assert.equal(readdirSync(target).length, 128);
  assert.equal(readFileSync(join(target, 'same'), 'utf8'), '0');
  assert.equal(existsSync(join(target, 'file5')), false);
  assert.throws(
    () => mountOverlay({ target, folder, lowers: Array.from({ length: 600 }, () => '1000/fs') }),
    (error) => hasCode(error, 'E2BIG'),
  );
});

test('extended attributes are set, listed, read and removed', async (t) => {
  const path = join(makeFolder(t), 'file');
  writeFileSync(path, '');
  setXattr(path, 'trusted.overlay.opaque', Buffer.from('y'));
  setXattr(path, 'user.big', new Uint8Array(3000).fill(7));
  setXattr(path, 'user.empty', new Uint8Array());
  assert.deepEqual(listXattrs(path), ['trusted.overlay.opaque', 'user.big', 'user.empty']);
  assert.equal(getXattr(path, 'user.big')?.length, 3000);
  assert.equal(getXattr(path, 'user.empty')?.length, 0);
  assert.equal(getXattr(path, 'user.none'), undefined);
  assert.equal(readXattrs(path).size, 3);
  assert.equal(removeXattr(path, 'user.big'), true);
  assert.equal(removeXattr(path, 'user.big'), false);
  await syncFilesystem(path);
});

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'mounts-'));
  t.after(() => {
    unmountTree(folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}
