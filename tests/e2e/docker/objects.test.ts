import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { Session } from './session.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

test('volumes keep what containers write, and are copied up to', async () => {
  await instance.dockerOutput('volume', 'create', '--label', 'a=b', 'data');
  await instance.dockerOutput('run', '--rm', '-v', 'data:/d', 'busybox', 'sh', '-c', 'echo kept > /d/file');
  assert.equal(await instance.dockerOutput('run', '--rm', '-v', 'data:/d:ro', 'busybox', 'cat', '/d/file'), 'kept');
  const denied = await instance.docker('run', '--rm', '-v', 'data:/d:ro', 'busybox', 'touch', '/d/x');
  assert.match(denied.stderr, /Read-only file system/);
  assert.match(
    await instance.dockerOutput('run', '--rm', '-v', 'copy:/etc', 'busybox', 'cat', '/etc/group'),
    /root:x:0/,
  );
  const mountpoint = await instance.dockerOutput('volume', 'inspect', '-f', '{{.Mountpoint}}', 'data');
  assert.equal(readFileSync(join(mountpoint, 'file'), 'utf8'), 'kept\n');
  assert.equal(await instance.dockerOutput('volume', 'ls', '-q', '--filter', 'label=a'), 'data');
  await instance.dockerOutput('create', '--name', 'holder', '-v', 'data:/d', '-v', '/anonymous', 'busybox');
  assert.match((await instance.docker('volume', 'rm', 'data')).stderr, /in use/);
  await instance.dockerOutput('create', '--name', 'heir', '--volumes-from', 'holder:ro', 'busybox');
  const mounts = '{{range .Mounts}}{{.Destination}} {{.RW}};{{end}}';
  const inherited = (await instance.dockerOutput('inspect', '-f', mounts, 'heir')).split(';').sort().join(';');
  assert.equal(inherited, ';/anonymous false;/d false');
  await instance.dockerOutput('rm', 'heir');
  await instance.dockerOutput('rm', '-v', 'holder');
  assert.equal(await instance.dockerOutput('volume', 'ls', '-q', '--filter', 'dangling=true'), 'copy\ndata');
  assert.match(
    await instance.dockerOutput('volume', 'prune', '-f', '--filter', 'all=1'),
    /Deleted Volumes:[\s\S]*data/,
  );
});

test('binds are made by -v and wanted by --mount', async () => {
  const source = join(instance.root, 'bound');
  await instance.dockerOutput('run', '--rm', '-v', `${source}:/b`, 'busybox', 'touch', '/b/made');
  assert.equal(readFileSync(join(source, 'made'), 'utf8'), '');
  const missing = ['--mount', `type=bind,src=${source}-missing,dst=/b`];
  assert.match((await instance.docker('run', '--rm', ...missing, 'busybox')).stderr, /does not exist/);
  const mount = `type=bind,src=${source},dst=/b,readonly`;
  assert.equal(await instance.dockerOutput('run', '--rm', '--mount', mount, 'busybox', 'ls', '/b'), 'made');
});

test('networks have names, addresses, aliases and late members', async () => {
  await instance.dockerOutput('network', 'create', '--subnet', '10.231.7.0/24', '--label', 'a=b', 'sea');
  const run = async (name: string, ...args: readonly string[]): Promise<string> =>
    instance.dockerOutput('run', '-d', '--name', name, ...args, 'busybox', 'sleep', '3600');
  await run('buoy', '--network', 'sea', '--ip', '10.231.7.20', '--network-alias', 'mark');
  await run('boat');
  await instance.dockerOutput('network', 'connect', '--ip', '10.231.7.30', '--alias', 'ship', 'sea', 'boat');
  for (const name of ['buoy', 'mark']) {
    assert.match(await instance.dockerOutput('exec', 'boat', 'ping', '-c1', '-W10', name), /10\.231\.7\.20/);
  }
  assert.match(await instance.dockerOutput('exec', 'buoy', 'ping', '-c1', '-W10', 'ship'), /10\.231\.7\.30/);
  const members = '{{range .Containers}}{{.Name}}={{.IPv4Address}} {{end}}';
  const shown = (await instance.dockerOutput('network', 'inspect', '-f', members, 'sea')).trim().split(' ').sort();
  assert.deepEqual(shown, ['boat=10.231.7.30/24', 'buoy=10.231.7.20/24']);
  const address = '{{(index .NetworkSettings.Networks "sea").IPAddress}}';
  assert.equal(await instance.dockerOutput('inspect', '-f', address, 'buoy'), '10.231.7.20');
  assert.match((await instance.docker('network', 'rm', 'sea')).stderr, /active endpoints|in use/);
  await instance.dockerOutput('network', 'disconnect', 'sea', 'boat');
  assert.notEqual((await instance.docker('exec', 'boat', 'ping', '-c1', '-W1', '10.231.7.20')).code, 0);
  const overlap = await instance.docker('network', 'create', '--subnet', '10.231.7.0/25', 'overlap');
  assert.match(overlap.stderr, /overlap/i);
  const sharing = await instance.dockerOutput(
    'run',
    '--rm',
    '--network',
    'container:buoy',
    'busybox',
    'hostname',
    '-i',
  );
  assert.match(sharing, /10\.231\.7\.20/);
  await instance.dockerOutput('rm', '-f', 'buoy', 'boat');
  assert.match(await instance.dockerOutput('network', 'prune', '-f'), /Deleted Networks:\nsea/);
});

test('ports are published where they are said to be, and taken ports refused', async () => {
  const serve = ['busybox', 'sh', '-c', 'while :; do echo -e "HTTP/1.0 200 OK\\r\\n\\r\\nserved" | nc -l -p 80; done'];
  await instance.dockerOutput('run', '-d', '--name', 'server', '-p', '127.0.0.1::80', ...serve);
  const published = await instance.dockerOutput('port', 'server', '80');
  assert.match(published, /^127\.0\.0\.1:\d+$/);
  await eventually('the port answers', async () =>
    (await (await fetch(`http://${published}/`)).text()).includes('served'),
  );
  const taken = await instance.docker('run', '--rm', '-p', `${published}:80`, 'busybox', 'true');
  assert.equal(taken.code, 125);
  assert.match(taken.stderr, /port/);
  assert.match(await instance.dockerOutput('ps', '--format', '{{.Ports}}'), new RegExp(`${published}->80/tcp`));
  await instance.dockerOutput('rm', '-f', 'server');
});

test('builds run in steps, from the cache the second time, and from stdin', async () => {
  const context = join(instance.root, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'hello.txt'), 'hello\n');
  const lines = [
    'FROM busybox',
    'ARG WHO=world',
    'COPY hello.txt /',
    'RUN cat /hello.txt; echo to $WHO',
    'CMD ["cat", "/hello.txt"]',
  ];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  const build = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await instance.docker('build', ...args);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };
  const first = await build('-t', 'app:1', '-t', 'app:2', '--build-arg', 'WHO=me', '--label', 'a=b', context);
  assert.match(first, /Step 4\/\d+ : RUN cat/);
  assert.match(first, /hello\nto me/);
  assert.match(first, /Successfully built [0-9a-f]{12}\nSuccessfully tagged app:1\nSuccessfully tagged app:2/);
  const second = await build('-t', 'app:1', '--build-arg', 'WHO=me', '--label', 'a=b', context);
  assert.match(second, /Using cache/);
  assert.doesNotMatch(second, /hello\nto me/);
  assert.equal(await instance.dockerOutput('run', '--rm', 'app:2'), 'hello');
  assert.equal(await instance.dockerOutput('inspect', '-f', '{{index .Config.Labels "a"}}', 'app:1'), 'b');
  const quiet = await build('-q', context);
  assert.match(quiet, /^sha256:[0-9a-f]{64}\n$/);
  const piped = await instance.dockerWith({ stdin: 'FROM busybox\nRUN echo piped\n' }, 'build', '-t', 'piped', '-');
  assert.match(piped.stdout, /piped/);
  const elsewhere = await instance.dockerWith(
    { stdin: 'FROM busybox\nCOPY hello.txt /there\n' },
    'build',
    '-t',
    'piped',
    '-f',
    '-',
    context,
  );
  assert.match(elsewhere.stdout, /Successfully tagged piped:latest/, elsewhere.stderr);
  const failed = await instance.dockerWith({ stdin: 'FROM busybox\nRUN exit 9\n' }, 'build', '-');
  assert.equal(failed.code, 9);
  const buildKit = await instance.dockerWith({ env: { DOCKER_BUILDKIT: '' } }, 'build', '-q', context);
  assert.equal(buildKit.code, 0, buildKit.stderr);
  await instance.dockerOutput('builder', 'prune', '-af');
  await instance.dockerOutput('rmi', 'app:1', 'app:2', 'piped');
});

test('events tell what happens, live and of the past', async () => {
  const format = '{{.Type}} {{.Action}}';
  await using live = Session.docker(instance, 'events', '--filter', 'container=watched', '--format', format);
  await eventually('the client listens', async () => {
    await instance.dockerOutput('create', '--name', 'watched', 'busybox', 'true');
    const heard = live.output.includes('container create');
    if (!heard) await instance.dockerOutput('rm', 'watched');
    return heard;
  });
  await instance.dockerOutput('start', '-a', 'watched');
  await instance.dockerOutput('rm', 'watched');
  await live.expect(/container start\n[\s\S]*container die\n[\s\S]*container destroy\n/);
  const past = await instance.dockerOutput('events', '--since', '1h', '--until', '0s', '--format', format);
  for (const action of ['image import', 'container create', 'container start', 'container die', 'network create']) {
    assert.ok(past.includes(action), `${action} in ${past}`);
  }
});

test('the system adds up', async () => {
  assert.match(await instance.dockerOutput('info', '--format', '{{.Driver}} {{.Images}}'), /^overlay2 \d+$/);
  assert.match(await instance.dockerOutput('system', 'df'), /Images\s+\d/);
  assert.match(
    await instance.dockerOutput('version', '--format', '{{.Server.APIVersion}} {{.Server.MinAPIVersion}}'),
    /^1\.54 1\.24$/,
  );
  await instance.dockerOutput('run', '--name', 'leftover', 'busybox', 'true');
  const pruned = await instance.dockerOutput('system', 'prune', '-af', '--volumes');
  assert.match(pruned, /Deleted Containers:[\s\S]*Total reclaimed space/);
  assert.equal(await instance.dockerOutput('images', '-q'), '');
});
