import assert from 'node:assert/strict';
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { isMountPoint } from '#sys/mount-info.ts';

import { folder, never, open, reason } from './world.ts';

test('volumes keep data and definition over a restart, and half-made ones are cleared away', async (t) => {
  const root = folder(t);
  {
    await using volumes = await open(root);
    const { mountpoint } = await volumes.create({ name: 'data', labels: { a: 'b' } });
    writeFileSync(join(mountpoint, 'file'), 'kept');
  }
  mkdirSync(join(root, 'half', '_data'), { recursive: true });
  mkdirSync(join(root, 'broken', '_data'), { recursive: true });
  writeFileSync(join(root, 'broken', 'volume.json'), '{"name":');

  await using volumes = await open(root);
  assert.deepEqual(
    volumes.list().map(({ name, labels }) => ({ name, labels })),
    [{ name: 'data', labels: { a: 'b' } }],
  );
  assert.equal(readFileSync(join(volumes.get('data').mountpoint, 'file'), 'utf8'), 'kept');
  assert.deepEqual(readdirSync(root).sort(), ['broken', 'data']);
  assert.equal(await reason(volumes.create({ name: 'broken' })), 'Damaged');
});

test('create() is idempotent for the same options and refuses others', async (t) => {
  await using volumes = await open(folder(t));
  const asked = { name: 'scratch', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=64k' } };
  const made = await Promise.all([volumes.create(asked), volumes.create(asked)]);
  assert.deepEqual(made[0], made[1]);
  assert.equal(
    await reason(volumes.create({ name: 'scratch', options: { type: 'tmpfs', device: 'other' } })),
    'Conflict',
  );
  assert.equal(await reason(volumes.create({ name: '../x' })), 'InvalidArgument');
});

test('a held volume stays; prune() takes anonymous ones, or all that nobody holds', async (t) => {
  await using volumes = await open(folder(t));
  await volumes.create({ name: 'held' });
  await volumes.create({ name: 'free' });
  const { name: anonymous, mountpoint } = await volumes.create({});
  writeFileSync(join(mountpoint, 'bytes'), Buffer.alloc(1000));
  volumes.hold('held', 'c1');

  assert.equal(await reason(volumes.remove('held', true)), 'Conflict');
  const freedBytes = [mountpoint, join(mountpoint, 'bytes')].reduce(
    (sum, path) => sum + lstatSync(path).blocks * 512,
    0,
  );
  assert.deepEqual(await volumes.prune(false), { removed: [anonymous], freedBytes });
  assert.deepEqual((await volumes.prune(true)).removed, ['free']);
  volumes.release('held', 'c1');
  await volumes.remove('held', false);
  assert.equal(await reason(volumes.remove('held', false)), 'NotFound');
  assert.equal(await reason(volumes.remove('held', true)), 'none');
});

test('options mount memory and folders of the host, and remove() leaves the folder alone', async (t) => {
  const root = folder(t);
  const host = folder(t);
  await using volumes = await open(root);
  writeFileSync(join(host, 'file'), 'of the host');
  await volumes.create({ name: 'memory', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=64k,noexec' } });
  await volumes.create({ name: 'shown', options: { type: 'none', o: 'bind,ro', device: host } });

  const memory = await volumes.open('memory', 'c1', never);
  assert.equal(isMountPoint(memory), true);
  assert.throws(() => writeFileSync(join(memory, 'big'), Buffer.alloc(1_000_000)), { code: 'ENOSPC' });
  const shown = await volumes.open('shown', 'c1', never);
  assert.equal(readFileSync(join(shown, 'file'), 'utf8'), 'of the host');
  assert.throws(() => writeFileSync(join(shown, 'new'), ''), { code: 'EROFS' });

  await volumes.open('memory', 'c2', never);
  assert.equal(await reason(volumes.remove('memory', true)), 'Conflict');
  await volumes.close('memory', 'c1');
  assert.equal(isMountPoint(memory), true);
  await volumes.close('memory', 'c2');
  assert.equal(isMountPoint(memory), false);
  await volumes.close('memory', 'c2');
  await volumes.remove('memory', false);
  await volumes.close('shown', 'c1');
  await volumes.remove('shown', false);
  assert.equal(readFileSync(join(host, 'file'), 'utf8'), 'of the host');
});

test('what cannot be mounted is told in words that name it, without passwords', async (t) => {
  await using volumes = await open(folder(t));
  const message = async (options: Readonly<Record<string, string>>): Promise<string> => {
    const { name } = await volumes.create({ options });
    return volumes.open(name, 'c1', never).then(
      () => 'none',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
  };
  const missing = await message({ type: 'none', o: 'bind', device: '/not/there' });
  assert.match(
    missing,
    /error while mounting volume '.*_data': failed to mount local volume: mount \/not\/there:.*: no such file or directory/,
  );
  const options = { type: 'nosuchfs', device: '//10.0.0.1/share', o: 'username=u,password=geheim,ro' };
  const unknown = await message(options);
  assert.match(unknown, /no such device; this kernel has no filesystem "nosuchfs"/);
  assert.match(unknown, /flags: 0x1, data: username=u,password=\*{8}:/);
  assert.equal(unknown.includes('geheim'), false);
});

test('what an earlier life left mounted goes unless somebody still uses it', async (t) => {
  const root = folder(t);
  const options = { type: 'tmpfs', device: 'tmpfs' };
  {
    await using volumes = await open(root);
    for (const name of ['used', 'left']) {
      await volumes.create({ name, options });
      await volumes.open(name, 'c1', never);
    }
  }
  await using volumes = await open(root);
  await volumes.open('used', 'c1', never);
  await volumes.closeUnused();
  assert.equal(isMountPoint(volumes.get('used').mountpoint), true);
  assert.equal(isMountPoint(volumes.get('left').mountpoint), false);
});

test('copyUp() fills an empty volume with owners, modes and links, once, and stays inside the root', async (t) => {
  const root = folder(t);
  const image = folder(t);
  await using volumes = await open(root);
  mkdirSync(join(image, 'srv/inner'), { recursive: true, mode: 0o750 });
  writeFileSync(join(image, 'srv/file'), 'x', { mode: 0o640 });
  chownSync(join(image, 'srv'), 33, 44);
  linkSync(join(image, 'srv/file'), join(image, 'srv/inner/same'));
  symlinkSync('/etc/passwd', join(image, 'srv/link'));
  symlinkSync('/etc', join(image, 'outside'));
  symlinkSync('srv', join(image, 'www'));

  const { mountpoint } = await volumes.create({ name: 'data' });
  await volumes.copyUp('data', image, '/www', never);
  const top = lstatSync(mountpoint);
  assert.deepEqual([top.uid, top.gid, top.mode & 0o777], [33, 44, 0o750]);
  assert.equal(lstatSync(join(mountpoint, 'file')).mode & 0o777, 0o640);
  assert.equal(lstatSync(join(mountpoint, 'file')).ino, lstatSync(join(mountpoint, 'inner/same')).ino);
  assert.equal(readlinkSync(join(mountpoint, 'link')), '/etc/passwd');

  writeFileSync(join(image, 'srv/later'), '');
  await volumes.copyUp('data', image, '/www', never);
  assert.deepEqual(readdirSync(mountpoint).sort(), ['file', 'inner', 'link']);

  const other = await volumes.create({ name: 'other' });
  await volumes.copyUp('other', image, '/outside', never);
  await volumes.copyUp('other', image, '/missing', never);
  await volumes.copyUp('other', image, '/srv/file', never);
  assert.deepEqual(readdirSync(other.mountpoint), []);
});

test('a copyUp() that was cut off is done again, over a restart too', async (t) => {
  const root = folder(t);
  const image = folder(t);
  mkdirSync(join(image, 'srv'));
  for (const name of ['one', 'two']) writeFileSync(join(image, 'srv', name), name);
  {
    await using volumes = await open(root);
    const { mountpoint } = await volumes.create({ name: 'data' });
    await assert.rejects(volumes.copyUp('data', image, '/srv', AbortSignal.abort()));
    writeFileSync(join(mountpoint, 'one'), 'ha');
  }
  await using volumes = await open(root);
  await volumes.copyUp('data', image, '/srv', never);
  const { mountpoint } = volumes.get('data');
  assert.deepEqual(
    readdirSync(mountpoint).map((name) => readFileSync(join(mountpoint, name), 'utf8')),
    ['one', 'two'],
  );
  writeFileSync(join(mountpoint, 'one'), 'mine');
  await volumes.copyUp('data', image, '/srv', never);
  assert.equal(readFileSync(join(mountpoint, 'one'), 'utf8'), 'mine');
});
