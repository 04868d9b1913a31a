import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { isMountPoint } from '#sys/mount-info.ts';
import { mountTmpfs, unmount } from '#sys/mounts.ts';

import type { Instance } from '../../kit/instance.ts';
import { needsClient } from '../../kit/needs-client.ts';
import { openInstance } from '../../kit/open-instance.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

const run = async (mount: string, ...command: readonly string[]): Promise<string> =>
  instance.dockerOutput('run', '--rm', '--mount', mount, 'busybox', ...command);
const refusal = async (mount: string, ...command: readonly string[]): Promise<string> =>
  (await instance.docker('run', '--rm', '--mount', mount, 'busybox', ...command)).stderr;

test('a part of a volume is mounted, and nothing outside it', needsClient(28), async () => {
  await instance.dockerOutput('volume', 'create', 'parts');
  const data = await instance.dockerOutput('volume', 'inspect', '-f', '{{.Mountpoint}}', 'parts');
  mkdirSync(join(data, 'a/b'), { recursive: true });
  writeFileSync(join(data, 'a/b/file'), 'inner');
  writeFileSync(join(data, 'single'), 'one file');
  symlinkSync('/etc', join(data, 'etc'));
  symlinkSync('../../..', join(data, 'up'));
  const part = (subpath: string): string => `type=volume,src=parts,dst=/p,volume-subpath=${subpath}`;
  assert.equal(await run(part('a/b'), 'sh', '-c', 'ls /p; echo new > /p/new'), 'file');
  assert.equal(readFileSync(join(data, 'a/b/new'), 'utf8'), 'new\n');
  assert.equal(await run(part('single'), 'cat', '/p'), 'one file');
  assert.match(await refusal(part('missing')), /cannot access path missing: no such file or directory/);
  for (const link of ['etc', 'up']) assert.match(await refusal(part(link)), /escapes the base directory/);
  assert.match(await refusal(part('../x')), /relative path within the volume/);
  assert.equal(readFileSync(join(data, 'a/b/file'), 'utf8'), 'inner');
});

test('an image is mounted, read-only, and stays while it is used', needsClient(28), async () => {
  await instance.dockerOutput('tag', 'busybox', 'tools:1');
  const mount = 'type=image,src=tools:1,dst=/tools,image-subpath=bin';
  assert.match(await run(mount, 'sh', '-c', 'ls /tools/busybox; touch /tools/x 2>&1 || true'), /Read-only file system/);
  const id = await instance.dockerOutput('run', '-d', '--mount', mount, 'busybox', 'sleep', '3600');
  const shown = '{{range .Mounts}}{{.Type}} {{.Source}} {{.RW}}{{end}}';
  assert.equal(await instance.dockerOutput('inspect', '-f', shown, id), 'image tools:1 false');
  await instance.kill9();
  await instance.start();
  assert.equal(await instance.dockerOutput('exec', id, 'ls', '/tools/busybox'), '/tools/busybox');
  await instance.dockerOutput('rm', '-f', id);
  assert.match(await refusal('type=image,src=nowhere:1,dst=/x'), /[Nn]o such image: nowhere:1/);
});

test('read-only reaches as far as it is told to', needsClient(28), async () => {
  const source = join(instance.root, 'outer');
  mkdirSync(join(source, 'inner'), { recursive: true });
  mountTmpfs(join(source, 'inner'));
  try {
    const bind = (options: string): string => `type=bind,src=${source},dst=/b${options}`;
    const write = ['sh', '-c', 'touch /b/inner/x && echo written'] as const;
    assert.match(await refusal(bind(',ro'), ...write), /Read-only file system/);
    assert.equal(await run(bind(',ro,bind-recursive=writable'), ...write), 'written');
    assert.match(
      await refusal(bind(',ro,bind-recursive=readonly,bind-propagation=rprivate'), ...write),
      /Read-only file system/,
    );
    assert.equal(await run(bind(',bind-recursive=disabled'), 'ls', '/b/inner'), '');
    assert.equal(await run(bind(''), 'ls', '/b/inner'), 'x');
  } finally {
    unmount(join(source, 'inner'));
  }
});

test('tmpfs, labels, options and modes are as asked for', async () => {
  const tmpfs = 'type=tmpfs,dst=/t,tmpfs-size=65536,tmpfs-mode=1770';
  assert.equal(
    await run(tmpfs, 'sh', '-c', 'stat -c %a /t; df -k /t | tail -1 | tr -s " " | cut -d" " -f2'),
    '1770\n64',
  );
  await run('type=volume,src=labelled,dst=/v,volume-label=a=b,volume-driver=local,volume-opt=size=8m', 'true');
  const shown = '{{.Labels.a}} {{.Options.size}} {{.Status.Mounted}}';
  assert.equal(await instance.dockerOutput('volume', 'inspect', '-f', shown, 'labelled'), 'b 8m false');
  assert.match(await refusal('type=volume,src=fresh,dst=/etc,volume-nocopy', 'ls', '/etc/group'), /No such file/);
  const short = await instance.docker('run', '--rm', '-v', 'fresh2:/bin/x:nocopy,z,ro', 'busybox', 'touch', '/bin/x/y');
  assert.match(short.stderr, /Read-only file system/);
  assert.match(
    (await instance.docker('volume', 'create', '-d', 'flocker', 'v1')).stderr,
    /error looking up volume plugin flocker: plugin "flocker" not found/,
  );
});

test('a volume that is mounted is there for the first container and until the last', async () => {
  await instance.dockerOutput(
    'volume',
    'create',
    '-o',
    'type=tmpfs',
    '-o',
    'device=tmpfs',
    '-o',
    'o=size=1m',
    'memory',
  );
  const data = await instance.dockerOutput('volume', 'inspect', '-f', '{{.Mountpoint}}', 'memory');
  const use = ['run', '-d', '-v', 'memory:/m', 'busybox', 'sleep', '3600'];
  const first = await instance.dockerOutput(...use);
  await instance.dockerOutput('exec', first, 'touch', '/m/made');
  await instance.kill9();
  await instance.start();
  const second = await instance.dockerOutput(...use);
  await instance.dockerOutput('rm', '-f', first);
  assert.equal(await instance.dockerOutput('exec', second, 'ls', '/m'), 'made');
  await instance.dockerOutput('rm', '-f', second);
  assert.equal(isMountPoint(data), false);

  await instance.dockerOutput(
    'volume',
    'create',
    '-o',
    'type=nfs',
    '-o',
    'device=:/x',
    '-o',
    'o=addr=127.0.0.1',
    'far',
  );
  const far = await instance.docker('run', '--rm', '-v', 'far:/f', 'busybox');
  assert.match(far.stderr, /error while mounting volume '.*far\/_data': failed to mount local volume: mount :\/x:/);
});

test('a volume with a size is full at its size for a container, too', async () => {
  await instance.dockerOutput('volume', 'create', '-o', 'size=8m', 'small');
  const fill = 'dd if=/dev/zero of=/s/big bs=1M count=20';
  const full = await instance.docker('run', '--rm', '-v', 'small:/s', 'busybox', 'sh', '-c', fill);
  assert.match(full.stderr, /No space left on device/);
  const limited = await instance.docker('run', '--rm', '--storage-opt', 'size=1g', 'busybox');
  assert.match(limited.stderr, /StorageOpt.*project quota/);
});
