import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';

let instance: Instance;
let folder: string;

before(async () => {
  instance = await openInstance();
  folder = join(instance.root, 'copies');
  mkdirSync(join(folder, 'tree/sub'), { recursive: true });
  writeFileSync(join(folder, 'file'), 'hello');
  writeFileSync(join(folder, 'tree/sub/deep'), 'deep');
  symlinkSync('sub/deep', join(folder, 'tree/link'));
});
after(async () => instance?.destroy());

/** A running, a stopped and a never started container behave alike. */
for (const kind of ['running', 'stopped', 'created'] as const) {
  test(`files go into and out of a ${kind} container`, async () => {
    const name = `cp-${kind}`;
    const volume = ['-v', `${name}-data:/data`, '--tmpfs', '/scratch'];
    await instance.dockerOutput('create', '--name', name, ...volume, 'busybox', 'sleep', '3600');
    if (kind !== 'created') await instance.dockerOutput('start', name);
    if (kind === 'stopped') await instance.dockerOutput('stop', '-t', '0', name);
    const cp = async (from: string, to: string): Promise<string> => instance.dockerOutput('cp', from, to);

    await cp(join(folder, 'file'), `${name}:/tmp/`);
    await cp(join(folder, 'file'), `${name}:/tmp/renamed`);
    await cp(join(folder, 'tree'), `${name}:/tmp/`);
    await cp(`${join(folder, 'tree')}/.`, `${name}:/root`);
    await cp(join(folder, 'file'), `${name}:/data/kept`);
    const out = join(folder, kind);
    mkdirSync(out);
    for (const path of ['/tmp/file', '/tmp/renamed', '/tmp/tree', '/root/sub', '/data/kept'])
      await cp(`${name}:${path}`, out);
    assert.deepEqual(readdirSync(out).sort(), ['file', 'kept', 'renamed', 'sub', 'tree']);
    assert.equal(readFileSync(join(out, 'renamed'), 'utf8'), 'hello');
    assert.equal(readFileSync(join(out, 'tree/sub/deep'), 'utf8'), 'deep');
    assert.equal(readlinkSync(join(out, 'tree/link')), 'sub/deep');
    assert.equal(readFileSync(join(out, 'sub/deep'), 'utf8'), 'deep');

    // The volume has it, not what lies below its mount.
    const inVolume = await instance.dockerOutput('run', '--rm', '-v', `${name}-data:/v`, 'busybox', 'cat', '/v/kept');
    assert.equal(inVolume, 'hello');
    assert.match(
      (await instance.docker('cp', `${name}:/nope`, out)).stderr,
      /Could not find the file \/nope in container|No such container:path/,
    );
    assert.match(
      (await instance.docker('cp', join(folder, 'file'), `${name}:/no/such/place`)).stderr,
      /Could not find|no such directory|No such container:path/,
    );
    if (kind === 'running') {
      await cp(join(folder, 'file'), `${name}:/scratch/in-memory`);
      assert.equal(await instance.dockerOutput('exec', name, 'cat', '/scratch/in-memory'), 'hello');
    }
    await instance.dockerOutput('rm', '-fv', name);
    await instance.dockerOutput('volume', 'rm', `${name}-data`);
  });
}

/** Whether it runs or not, what is mounted is seen and written, and what lies below it stays as it is. */
for (const kind of ['running', 'created'] as const) {
  test(`copies of a ${kind} container go into its mounts, wherever they begin`, async () => {
    const name = `mounted-${kind}`;
    const source = join(folder, `source-${kind}`);
    mkdirSync(join(source, 'inside'), { recursive: true });
    writeFileSync(join(source, 'file'), 'mounted');
    const parent = join(folder, `parent-${kind}`);
    for (const place of ['volume', 'writable']) mkdirSync(join(parent, place), { recursive: true });
    for (const place of ['volume', 'writable']) writeFileSync(join(parent, place, 'copied'), 'copied');
    const mounts = ['-v', `${name}:/volume`, '-v', `${source}:/writable`, '-v', `${source}:/kept:ro`];
    const single = ['-v', `${join(source, 'file')}:/single`];
    await instance.dockerOutput('create', '--init', '--name', name, ...mounts, ...single, 'busybox', 'sleep', '3600');
    if (kind === 'running') await instance.dockerOutput('start', name);

    await instance.dockerOutput('cp', `${parent}/.`, `${name}:/`);
    assert.equal(readFileSync(join(source, 'copied'), 'utf8'), 'copied');
    const inVolume = await instance.dockerOutput('run', '--rm', '-v', `${name}:/v`, 'busybox', 'cat', '/v/copied');
    assert.equal(inVolume, 'copied');
    const out = join(folder, `out-${kind}`);
    mkdirSync(out);
    for (const place of ['/volume', '/writable', '/single']) await instance.dockerOutput('cp', `${name}:${place}`, out);
    assert.deepEqual(readdirSync(join(out, 'volume')), ['copied']);
    assert.deepEqual(readdirSync(join(out, 'writable')).sort(), ['copied', 'file', 'inside']);
    assert.equal(readFileSync(join(out, 'single'), 'utf8'), 'mounted');
    const refused = await instance.docker('cp', join(folder, 'file'), `${name}:/kept/new`);
    assert.match(refused.stderr, /read-only/i);
    assert.doesNotMatch(await instance.dockerOutput('diff', name), /copied/);
    await instance.dockerOutput('rm', '-fv', name);
  });
}

test('a read-only root is not written, its volumes are', async () => {
  await instance.dockerOutput('create', '--read-only', '--name', 'sealed', '-v', 'unsealed:/data', 'busybox');
  assert.match((await instance.docker('cp', join(folder, 'file'), 'sealed:/tmp/x')).stderr, /read-only/i);
  await instance.dockerOutput('cp', join(folder, 'file'), 'sealed:/data/x');
  assert.equal(await instance.dockerOutput('run', '--rm', '-v', 'unsealed:/v', 'busybox', 'cat', '/v/x'), 'hello');
  await instance.dockerOutput('rm', 'sealed');
});

test('a tar can be streamed both ways', async () => {
  await instance.dockerOutput('create', '--name', 'streamed', 'busybox');
  const tar = await instance.dockerOutput('cp', 'streamed:/etc/passwd', '-');
  assert.match(tar, /passwd[\s\S]*root:x:0:0/);
  const { code } = await instance.dockerWith({ stdin: `${tar}${'\0'.repeat(1024)}` }, 'cp', '-', 'streamed:/tmp');
  assert.equal(code, 0);
  assert.match(await instance.dockerOutput('cp', 'streamed:/tmp/passwd', '-'), /root:x:0:0/);
  await instance.dockerOutput('rm', 'streamed');
});

test('a container cannot lead the copy outside', async () => {
  const script = 'ln -s /../../../../../../etc/hostname /tmp/out; ln -s ../../../../../../.. /tmp/up; sleep 3600';
  await instance.dockerOutput('run', '-d', '--name', 'sly', '--hostname', 'inside', 'busybox', 'sh', '-c', script);
  await instance.dockerOutput('exec', 'sly', 'sh', '-c', 'until test -L /tmp/up; do sleep 0.1; done');
  const out = join(folder, 'sly');
  mkdirSync(out);
  await instance.dockerOutput('cp', '-L', 'sly:/tmp/out', join(out, 'hostname'));
  assert.equal(readFileSync(join(out, 'hostname'), 'utf8').trim(), 'inside');
  await instance.dockerOutput('cp', join(folder, 'file'), 'sly:/tmp/up/planted');
  assert.equal(await instance.dockerOutput('exec', 'sly', 'cat', '/planted'), 'hello');
  await instance.dockerOutput('rm', '-f', 'sly');
});

test('diff, export and commit see the changes', async () => {
  await instance.dockerOutput('run', '--name', 'changed', 'busybox', 'sh', '-c', 'echo new > /root/new; rm /etc/group');
  assert.equal(
    (await instance.dockerOutput('diff', 'changed')).split('\n').sort().join('|'),
    'A /root/new|C /etc|C /root|D /etc/group',
  );
  const archive = join(folder, 'export.tar');
  await instance.dockerOutput('export', '-o', archive, 'changed');
  const imported = await instance.dockerOutput('import', archive, 'flat:1');
  assert.match(imported, /^sha256:/);
  assert.equal(await instance.dockerOutput('run', '--rm', 'flat:1', 'cat', '/root/new'), 'new');
  const changes = ['--change', 'ENV MADE=yes', '--change', 'CMD ["sh","-c","cat /root/new; echo $MADE"]'];
  await instance.dockerOutput('commit', '-m', 'by hand', ...changes, 'changed', 'committed:1');
  assert.equal(await instance.dockerOutput('run', '--rm', 'committed:1'), 'new\nyes');
  assert.match(await instance.dockerOutput('history', '--format', '{{.Comment}}', 'committed:1'), /^by hand/);
  const used = await instance.docker('rmi', 'busybox');
  assert.match(used.stderr, /container|in use|using/);
  await instance.dockerOutput('rm', 'changed');
  await instance.dockerOutput('rmi', 'committed:1', 'flat:1');
});
