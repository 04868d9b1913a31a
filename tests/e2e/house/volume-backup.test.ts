import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { toolPath } from '../../kit/tools.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

const shell = async (volume: string, command: string): Promise<string> =>
  instance.dockerOutput('run', '--rm', '-v', `${volume}:/d`, 'busybox', 'sh', '-c', command);

test('a volume goes into a file and comes back, by one command each', async () => {
  await shell('data', 'echo one > /d/file; ln /d/file /d/same; chown 7:8 /d/file; chmod 600 /d/file; mkdir /d/folder');
  for (const ending of ['tar', 'tar.gz', 'tar.zst']) {
    const file = join(instance.root, `data.${ending}`);
    const made = await instance.slipway('volume', 'backup', 'data', '-o', file);
    assert.deepEqual([made.code, made.stderr], [0, '']);
    const name = `copy-${ending}`;
    const back = await instance.slipway('volume', 'restore', name, file);
    assert.deepEqual([back.code, back.stderr], [0, '']);
    assert.equal(await shell(name, 'stat -c "%a %u %g %h" /d/same; ls /d'), '600 7 8 2\nfile\nfolder\nsame');
  }
  const listed = execFileSync(toolPath('tar'), ['-tzf', join(instance.root, 'data.tar.gz')], { encoding: 'utf8' });
  assert.match(listed, /^\.\/file$/m);
});

test('what must not be is refused, and leaves nothing', async () => {
  await shell('full', 'echo old > /d/old');
  const file = join(instance.root, 'refused.tar.zst');
  assert.equal((await instance.slipway('volume', 'backup', 'full', '-o', file)).code, 0);
  const again = await instance.slipway('volume', 'restore', 'full', file);
  assert.match(again.stderr, /Cannot restore volume "full": it is not empty; say --force/);
  const id = await instance.dockerOutput('run', '-d', '-v', 'full:/d', 'busybox', 'sleep', '3600');
  const used = await instance.slipway('volume', 'restore', '--force', 'full', file);
  assert.match(used.stderr, new RegExp(`in use by ${id.slice(0, 12)}; stop them first`));
  await instance.dockerOutput('rm', '-f', id);
  assert.equal((await instance.slipway('volume', 'restore', '--force', 'full', file)).code, 0);

  truncateSync(file, 40);
  const cut = await instance.slipway('volume', 'restore', 'fresh', file);
  assert.notEqual(cut.code, 0);
  assert.match((await instance.docker('volume', 'inspect', 'fresh')).stderr, /no such volume/i);
  const missing = await instance.slipway('volume', 'backup', 'nothing', '-o', join(instance.root, 'nothing.tar'));
  assert.match(missing.stderr, /no such volume/);
  assert.equal(existsSync(join(instance.root, 'nothing.tar')), false);
  assert.match((await instance.slipway('volume', 'backup', 'full', '-o', 'full.zip')).stderr, /ends with \.tar\.zst/);
});

test('--pause holds the containers still, and a killed daemon lets them go', async () => {
  await shell('large', 'dd if=/dev/urandom of=/d/big bs=1M count=64 2>/dev/null');
  const id = await instance.dockerOutput('run', '-d', '-v', 'large:/d', 'busybox', 'sleep', '3600');
  const state = async (): Promise<string> => instance.dockerOutput('inspect', '-f', '{{.State.Status}}', id);
  const file = join(instance.root, 'large.tar.zst');
  const backup = instance.slipway('volume', 'backup', '--pause', 'large', '-o', file);
  await eventually('the container is paused', async () => (await state()) === 'paused');
  assert.equal((await backup).code, 0);
  assert.equal(await state(), 'running');

  const cut = instance.slipway('volume', 'backup', '--pause', 'large', '-o', join(instance.root, 'cut.tar'));
  await eventually('the container is paused', async () => (await state()) === 'paused');
  await instance.kill9();
  await cut;
  await instance.start();
  assert.equal(await state(), 'running');
  const left = readdirSync(instance.root).filter((name) => name.endsWith('.partial'));
  assert.deepEqual(left, []);
  await instance.dockerOutput('rm', '-f', id);
});

test('a volume with a size gets more room', async () => {
  await instance.dockerOutput('volume', 'create', '-o', 'size=8m', 'small');
  assert.deepEqual((await instance.slipway('volume', 'resize', 'small', '32m')).stderr, '');
  assert.equal(await shell('small', 'dd if=/dev/zero of=/d/big bs=1M count=16 2>/dev/null && echo fits'), 'fits');
  writeFileSync(join(instance.root, 'plain'), '');
  await instance.dockerOutput('volume', 'create', 'plain');
  assert.match((await instance.slipway('volume', 'resize', 'plain', '1g')).stderr, /it has no size/);
});
