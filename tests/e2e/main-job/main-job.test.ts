import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { type Instance, startInstance } from '../../kit/instance.ts';
import { repository } from '../../kit/tools.ts';

/** Packages come from a mirror that may be slow. */
const mirrorTimeoutMs = 480_000;

test('from an empty machine to running apps, with the real docker client', async (t) => {
  const instance = await startInstance(t);

  await t.test('image bootstrap makes debian:12 from the mirror', async () => {
    const { code, stderr } = await instance.slipwayWith({ timeoutMs: mirrorTimeoutMs }, 'image', 'bootstrap', 'debian');
    assert.equal(code, 0, stderr);
    const release = await instance.dockerOutput('run', '--rm', 'debian:12', 'cat', '/etc/os-release');
    assert.match(release, /VERSION_CODENAME=bookworm/);
  });

  await t.test('a Flask app is built and served', async () => {
    await build(instance, 'flask-app:1.0', 'hello-flask');
    await instance.dockerOutput('run', '-d', '--name', 'web', '-p', '5000', 'flask-app:1.0');
    const port = await publishedPort(instance, 'web', 5000);
    for (const host of ['127.0.0.1', 'localhost'])
      await eventually(`the app answers on ${host}`, async () => /Hello/.test(await get(`http://${host}:${port}/`)));
  });

  await t.test('containers of a network with a subnet and fixed addresses find each other by name', async () => {
    await instance.dockerOutput('network', 'create', '--subnet', '172.16.0.0/16', 'boards');
    await instance.loadBusybox();
    for (const [name, ip] of [
      ['board1', '172.16.0.21'],
      ['board2', '172.16.0.22'],
    ] as const)
      await instance.dockerOutput(
        'run',
        '-d',
        '--name',
        name,
        '--network',
        'boards',
        '--ip',
        ip,
        'busybox',
        'sleep',
        '3600',
      );
    const ping = await instance.dockerOutput('exec', 'board2', 'ping', '-c1', '-W10', 'board1');
    assert.match(ping, /PING board1 \(172\.16\.0\.21\)/);
    assert.match(ping, /1 packets received/);
  });

  await t.test('kill -9 of the daemon: containers serve on, and the next daemon knows all of it', async () => {
    const port = await publishedPort(instance, 'web', 5000);
    await get(`http://127.0.0.1:${port}/before`);
    await instance.kill9();
    await get(`http://127.0.0.1:${port}/meanwhile`);
    await instance.start();
    await get(`http://127.0.0.1:${port}/after`);
    const rows = (await instance.dockerOutput('ps', '--format', '{{.Names}} {{.State}} {{.Image}}')).split('\n').sort();
    assert.deepEqual(rows, ['board1 running busybox', 'board2 running busybox', 'web running flask-app:1.0']);
    const log = await eventually('the log has all requests', async () => {
      const { stdout, stderr } = await instance.docker('logs', 'web');
      return /GET \/after/.test(stdout + stderr) && stdout + stderr;
    });
    for (const path of ['before', 'meanwhile', 'after']) assert.equal(log.split(`GET /${path} `).length, 2, path);
    assert.match(await instance.dockerOutput('exec', 'board1', 'ping', '-c1', '-W10', 'board2'), /1 packets received/);
    assert.equal((await instance.docker('stop', '-t', '5', 'web')).code, 0);
    await assert.rejects(get(`http://127.0.0.1:${port}/`));
  });

  await t.test(
    'a multi-stage build leaves a static program alone, over 100 times smaller than its first stage',
    async () => {
      await build(instance, 'hello:1.0', 'hello-multistage');
      await build(instance, 'hello:stage', 'hello-multistage', '--target', 'build');
      const [small, large] = await Promise.all(['hello:1.0', 'hello:stage'].map((name) => sizeOf(instance, name)));
      assert.ok(
        small !== undefined && large !== undefined && large > 100 * small,
        `${String(large)} : ${String(small)}`,
      );
      await instance.dockerOutput('run', '-d', '--name', 'hello', '-p', '8080', 'hello:1.0');
      const port = await publishedPort(instance, 'hello', 8080);
      await eventually('the program answers', async () => /Hello/.test(await get(`http://127.0.0.1:${port}/`)));
    },
  );
});

async function build(instance: Instance, tag: string, example: string, ...options: readonly string[]): Promise<void> {
  const context = join(repository, 'examples', example);
  const { code, stdout, stderr } = await instance.dockerWith(
    { timeoutMs: mirrorTimeoutMs },
    'build',
    '-t',
    tag,
    ...options,
    context,
  );
  assert.equal(code, 0, `${stdout}\n${stderr}`);
}

async function publishedPort(instance: Instance, name: string, port: number): Promise<string> {
  const address = await instance.dockerOutput('port', name, `${String(port)}/tcp`);
  return /:(\d+)$/m.exec(address)?.[1] ?? '';
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

async function sizeOf(instance: Instance, name: string): Promise<number> {
  return Number(await instance.dockerOutput('image', 'inspect', '--format', '{{.Size}}', name));
}
