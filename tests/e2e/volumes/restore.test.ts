import assert from 'node:assert/strict';
import {
  chownSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { writeJsonDurably } from '#sys/durable-file.ts';
import { getXattr, setXattr } from '#sys/xattrs.ts';

import { folder, never, open, reason } from './world.ts';

const hole = 32 * 1024 ** 2;

/** Files of every kind. */
function fill(data: string): void {
  mkdirSync(join(data, 'inner'), { mode: 0o750 });
  writeFileSync(join(data, 'inner/file'), 'content', { mode: 0o640 });
  chownSync(join(data, 'inner/file'), 33, 44);
  linkSync(join(data, 'inner/file'), join(data, 'same'));
  symlinkSync('inner/file', join(data, 'link'));
  setXattr(join(data, 'inner/file'), 'user.note', Buffer.from('kept'));
  chownSync(data, 55, 66);
  const sparse = openSync(join(data, 'sparse'), 'w');
  writeSync(sparse, 'begin', 0);
  writeSync(sparse, 'end', hole);
  closeSync(sparse);
}

test('backup and restore keep owners, modes, xattrs, hard links and holes', async (t) => {
  await using volumes = await open(folder(t));
  fill((await volumes.create({ name: 'one' })).mountpoint);
  await volumes.create({ name: 'sized', options: { size: '24m' } });

  for (const target of ['two', 'sized']) {
    await volumes.restore(target, volumes.backup('one', never), { force: false }, never);
    const data = await volumes.open(target, 'test', never);
    const file = lstatSync(join(data, 'inner/file'));
    assert.deepEqual([file.uid, file.gid, file.mode & 0o777, file.nlink], [33, 44, 0o640, 2]);
    assert.equal(file.ino, lstatSync(join(data, 'same')).ino);
    assert.equal(readlinkSync(join(data, 'link')), 'inner/file');
    assert.equal(Buffer.from(getXattr(join(data, 'inner/file'), 'user.note') ?? []).toString(), 'kept');
    assert.deepEqual([lstatSync(data).uid, lstatSync(data).gid], [55, 66]);
    const sparse = lstatSync(join(data, 'sparse'));
    assert.deepEqual([sparse.size, sparse.blocks * 512 < 1024 ** 2], [hole + 3, true]);
    assert.equal(readFileSync(join(data, 'sparse')).subarray(hole).toString(), 'end');
    await volumes.close(target, 'test');
  }
});

test('restore refuses what holds something or is in use, and replaces it by force', async (t) => {
  await using volumes = await open(folder(t));
  fill((await volumes.create({ name: 'one' })).mountpoint);
  const { mountpoint } = await volumes.create({ name: 'old' });
  writeFileSync(join(mountpoint, 'old'), '');
  const restore = async (force: boolean): Promise<string> =>
    reason(volumes.restore('old', volumes.backup('one', never), { force }, never));
  assert.equal(await restore(false), 'Conflict');
  await volumes.open('old', 'c1', never);
  assert.equal(await restore(true), 'Conflict');
  assert.deepEqual(readdirSync(mountpoint), ['old']);
  await volumes.close('old', 'c1');
  assert.equal(await restore(true), 'none');
  assert.deepEqual(readdirSync(mountpoint).sort(), ['inner', 'link', 'same', 'sparse']);
});

test('half a restore leaves nothing', async (t) => {
  await using volumes = await open(folder(t));
  fill((await volumes.create({ name: 'one' })).mountpoint);
  const { mountpoint } = await volumes.create({ name: 'old' });
  writeFileSync(join(mountpoint, 'old'), '');
  async function* cut(): AsyncGenerator<Uint8Array> {
    for await (const chunk of volumes.backup('one', never)) {
      yield chunk;
      if (chunk.length > 512) throw new Error('the client has left');
    }
  }
  await assert.rejects(volumes.restore('new', cut(), { force: false }, never), /has left/);
  assert.equal(volumes.find('new'), undefined);
  await assert.rejects(volumes.restore('old', cut(), { force: true }, never), /has left/);
  assert.deepEqual(readdirSync(mountpoint), ['old']);
});

test('a new volume that was being filled is gone after a kill, one that was filled stays', async (t) => {
  const root = folder(t);
  {
    await using volumes = await open(root);
    fill((await volumes.create({ name: 'one' })).mountpoint);
    await volumes.restore('whole', volumes.backup('one', never), { force: false }, never);
    const filling = Promise.withResolvers<void>();
    async function* stuck(): AsyncGenerator<Uint8Array> {
      for await (const chunk of volumes.backup('one', never)) {
        yield chunk;
        if (chunk.length <= 512) continue;
        cpSync(join(root, 'half'), join(root, 'killed'), { recursive: true });
        filling.resolve();
        throw new Error('enough');
      }
    }
    await assert.rejects(volumes.restore('half', stuck(), { force: false }, never), /enough/);
    await filling.promise;
    // As it was on the disk at that moment, under its own name.
    renameSync(join(root, 'killed'), join(root, 'half'));
  }
  await using volumes = await open(root);
  assert.deepEqual(
    volumes.list().map(({ name }) => name),
    ['one', 'whole'],
  );
  assert.deepEqual(readdirSync(root).sort(), ['one', 'whole']);
});

test('a restore that was killed ends in the old or the new', async (t) => {
  const root = folder(t);
  const stage = '.slipway-restore-0123456789ab';
  {
    await using volumes = await open(root);
    for (const name of ['unpacking', 'clearing', 'moving']) {
      const { mountpoint } = await volumes.create({ name });
      writeFileSync(join(mountpoint, name === 'moving' ? 'new-1' : 'old'), '');
      mkdirSync(join(mountpoint, stage));
      writeFileSync(join(mountpoint, stage, 'new-2'), '');
      await writeJsonDurably(join(root, name, 'restore.json'), { step: name, stage });
    }
  }
  await using volumes = await open(root);
  await volumes.closeUnused();
  const files = ['unpacking', 'clearing', 'moving'].map((name) => readdirSync(volumes.get(name).mountpoint).sort());
  assert.deepEqual(files, [['old'], ['new-2'], ['new-1', 'new-2']]);
  assert.deepEqual(readdirSync(join(root, 'moving')).sort(), ['_data', 'volume.json']);
});
