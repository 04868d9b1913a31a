import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

/** A web server whose page says WORD and how it was started. */
const server = 'mkdir -p /www; echo "$WORD" > /www/index.html; exec httpd -f -p 80 -h /www';
const serve = async (name: string, ...args: readonly string[]): Promise<string> =>
  instance.dockerOutput('run', '-d', '--name', name, ...args, 'busybox', 'sh', '-c', server);

async function set(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await instance.slipway('container', 'set', ...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function portOf(name: string, port = '80/tcp'): Promise<number> {
  const shown = await instance.dockerOutput('port', name, port);
  return Number(/:(\d+)$/m.exec(shown)?.[1]);
}

/** One request on a connection of its own. */
async function fetchPage(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request({ host: '127.0.0.1', port, agent: false, timeout: 20_000 }, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('end', () => resolve(text.trim()));
    response.on('error', reject);
  });
  call.on('error', reject);
  call.on('timeout', () => call.destroy(new Error('no answer')));
  call.end();
  return promise;
}

const inspect = async (name: string, format: string): Promise<string> =>
  instance.dockerOutput('inspect', '-f', format, name);

test('ports are published and taken back while it runs', async () => {
  await serve('live', '-p', '80', '-e', 'WORD=live');
  const first = await portOf('live');
  const pid = await inspect('live', '{{.State.Pid}}');
  await set('live', '--publish-add', '127.0.0.1::80', '--publish-add', '81/udp');
  const ports = await inspect('live', '{{json .NetworkSettings.Ports}}');
  assert.match(ports, /"81\/udp":\[/);
  const second = Number(/"HostIp":"127.0.0.1","HostPort":"(\d+)"/.exec(ports)?.[1]);
  assert.notEqual(second, first);
  for (const port of [first, second]) assert.equal(await fetchPage(port), 'live');
  await set(
    'live',
    '--publish-rm',
    '127.0.0.1::80',
    '--publish-rm',
    '81/udp',
    '--memory',
    '64m',
    '--restart',
    'always',
  );
  await assert.rejects(fetchPage(second), { code: 'ECONNREFUSED' });
  assert.equal(await fetchPage(first), 'live');
  assert.equal(await inspect('live', '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}'), '67108864 always');
  assert.equal(await inspect('live', '{{.State.Pid}}'), pid);
  assert.equal(await inspect('live', '{{len .HostConfig.PortBindings}}'), '1');
  const taken = await instance.slipway('container', 'set', 'live', '--publish-add', `${String(first)}:82`);
  assert.match(taken.stderr, /address already in use/);
  await instance.dockerOutput('restart', '-t', '0', 'live');
  assert.match(await inspect('live', '{{json .NetworkSettings.Ports}}'), /"80\/tcp":\[\{/);
});

test('variables and mounts change with the same ID, address, volumes and files', async () => {
  await instance.dockerOutput('network', 'create', '--subnet', '10.232.9.0/24', 'set-net');
  await serve(
    'same',
    '-e',
    'WORD=old',
    '-e',
    'GONE=1',
    '-v',
    '/anonymous',
    '--network',
    'set-net',
    '--ip',
    '10.232.9.77',
  );
  await instance.dockerOutput('exec', 'same', 'sh', '-c', 'echo mine > /own; echo kept > /anonymous/file');
  const format = '{{.Id}} {{(index .NetworkSettings.Networks "set-net").IPAddress}}';
  const before = await inspect('same', format);
  await set(
    'same',
    '--env-add',
    'WORD=new',
    '--env-rm',
    'GONE',
    '--mount-add',
    'extra:/extra:ro',
    '--mount-add',
    'type=tmpfs,dst=/t',
  );
  assert.equal(await inspect('same', format), before);
  const look =
    'cat /www/index.html /own /anonymous/file; echo "${GONE-none}"; touch /extra/x 2>&1; touch /t/x && echo writable';
  const seen = await instance.dockerOutput('exec', 'same', 'sh', '-c', look);
  assert.match(seen, /^new\nmine\nkept\nnone\n.*Read-only file system\nwritable$/s);
  assert.match(await inspect('same', '{{json .Config.Env}} {{json .HostConfig.Binds}}'), /WORD=new.*extra:\/extra:ro/);

  await set('same', '--mount-rm', '/extra');
  assert.equal(
    await instance.dockerOutput('volume', 'ls', '-q', '--filter', 'dangling=true', '--filter', 'name=extra'),
    'extra',
  );
  const bad = await instance.slipway('container', 'set', 'same', '--mount-add', '/dev/null:/www/index.html/x');
  assert.match(bad.stderr, /Cannot change container "same": it does not start so, and runs as before/);
  assert.equal(await instance.dockerOutput('exec', 'same', 'cat', '/www/index.html'), 'new');
  assert.equal(await inspect('same', '{{len .Mounts}}'), '2');
  for (const wrong of [
    ['--env-rm', 'NOTHING'],
    ['--mount-rm', '/nothing'],
    ['--publish-rm', '99'],
    ['--env-add', 'word'],
    [],
  ]) {
    const { code } = await instance.slipway('container', 'set', ...(wrong.length === 0 ? [] : ['same']), ...wrong);
    assert.notEqual(code, 0, wrong.join(' '));
  }
});

test('--start-first loses no request, and names follow', async () => {
  await instance.dockerOutput('network', 'create', 'first-net');
  await serve('web', '-p', '80', '-e', 'WORD=v1', '--network', 'first-net', '--network-alias', 'site');
  const port = await portOf('web');
  const old = await inspect('web', '{{.Id}}');
  await eventually('the server answers', async () => (await fetchPage(port)) === 'v1');

  const seen = new Map<string, number>();
  const failures: unknown[] = [];
  const load = new AbortController();
  const client = async (): Promise<void> => {
    while (!load.signal.aborted) {
      try {
        const page = await fetchPage(port);
        seen.set(page, (seen.get(page) ?? 0) + 1);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const clients = Array.from({ length: 4 }, client);
  try {
    await set('web', '--env-add', 'WORD=v2', '--start-first', '--drain-timeout', '2');
    await eventually('the new one answers', () => (seen.get('v2') ?? 0) > 20);
  } finally {
    load.abort();
    await Promise.all(clients);
  }
  assert.deepEqual(failures, []);
  assert.deepEqual([...seen.keys()], ['v1', 'v2']);
  assert.notEqual(await inspect('web', '{{.Id}}'), old);
  assert.equal(await portOf('web'), port);
  assert.match((await instance.docker('inspect', old)).stderr, /no such object/i);
  const ask = [
    'run',
    '--rm',
    '--network',
    'first-net',
    'busybox',
    'sh',
    '-c',
    'for n in web site; do wget -qO- http://$n/; done',
  ];
  assert.equal(await instance.dockerOutput(...ask), 'v2\nv2');

  await instance.kill9();
  await instance.start();
  assert.equal(await fetchPage(port), 'v2');
});

test('one that does not become ready leaves the old one as it was', async () => {
  await serve('steady', '-p', '80', '-e', 'WORD=v1');
  const port = await portOf('steady');
  const before = await inspect('steady', '{{.Id}} {{.State.Pid}}');
  const options = ['--start-first', '--ready-timeout', '1', '--mount-add', 'type=tmpfs,dst=/bin'];
  const bad = await instance.slipway('container', 'set', 'steady', ...options);
  assert.notEqual(bad.code, 0);
  assert.equal(await inspect('steady', '{{.Id}} {{.State.Pid}}'), before);
  assert.equal(await fetchPage(port), 'v1');
  assert.equal(await instance.dockerOutput('ps', '-aq', '--filter', 'name=steady'), before.slice(0, 12));
});

test('another image takes its place', async () => {
  await serve('imaged', '-p', '80', '-e', 'WORD=v1', '-v', '/keep');
  await instance.dockerOutput('exec', 'imaged', 'touch', '/keep/file');
  await instance.dockerOutput('commit', '--change', 'ENV FROM_IMAGE=yes', 'imaged', 'next:1');
  await set('imaged', '--image', 'next:1');
  const port = await portOf('imaged');
  assert.equal(await inspect('imaged', '{{.Config.Image}}'), 'next:1');
  await eventually('it answers', async () => (await fetchPage(port).catch(() => '')) === 'v1');
  assert.equal(await instance.dockerOutput('exec', 'imaged', 'sh', '-c', 'echo $FROM_IMAGE; ls /keep'), 'yes\nfile');
});

test('kill -9 in the middle ends in the old or the new one, never none', async () => {
  await serve('crash', '-p', '80', '-e', 'WORD=v0');
  const port = await portOf('crash');
  for (let round = 1; round <= 6; round += 1) {
    const mode = round % 2 === 0 ? ['--start-first', '--drain-timeout', '1'] : [];
    const change = instance.slipway('container', 'set', 'crash', '--env-add', `WORD=v${String(round)}`, ...mode);
    const states = new Set<string>();
    await eventually(
      'the change is under way',
      async () => {
        states.add(
          await instance.dockerOutput('ps', '-a', '--filter', 'name=crash', '--format', '{{.Names}} {{.State}}'),
        );
        return states.size >= 2 + (round % 3) || undefined;
      },
      1500,
    ).catch(() => {});
    await instance.kill9();
    await change;
    await instance.start();
    const page = await eventually('it answers', async () => fetchPage(port));
    assert.ok(/^v\d$/.test(page), page);
    await eventually('one container is left', async () => {
      const names = await instance.dockerOutput(
        'ps',
        '-a',
        '--filter',
        'name=crash',
        '--format',
        '{{.Names}} {{.State}}',
      );
      return names === 'crash running';
    });
  }
});
