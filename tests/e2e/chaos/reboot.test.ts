import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { type Instance, startInstance } from '../../kit/instance.ts';
import { describeLeaks, findLeaks, removeLeaks } from '../../kit/leaks.ts';

const earlierBoot = '00000000-1111-2222-3333-444444444444';

/** What a reboot leaves of an instance: its durable files, written by a kernel with another boot ID, and nothing else. */
async function reboot(instance: Instance): Promise<void> {
  await instance.kill9();
  await eventually('nothing of the instance is in the kernel', async () => {
    const leaks = await findLeaks(instance.root);
    const left = describeLeaks(leaks);
    if (left.length === 0) return true;
    await removeLeaks(instance.root, leaks);
    throw new Error(left.join(', '));
  });
  rmSync(instance.paths.run, { recursive: true });
  const records = join(instance.paths.data, 'engine/containers/records');
  for (const name of readdirSync(records)) {
    const path = join(records, name);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/"bootId":"[^"]*"/g, `"bootId":"${earlierBoot}"`));
  }
}

/** The body of a page of this machine. */
async function page(port: string): Promise<string> {
  const [response] = (await once(get(`http://127.0.0.1:${port}/`, { agent: false }), 'response')) as [
    AsyncIterable<Buffer>,
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString().trim();
}

test('after a reboot runs what its policy says, with its data, address, ports and names, and nothing is half-made', async (t) => {
  const instance = await startInstance(t);
  await instance.loadBusybox();
  const run = (name: string, ...args: readonly string[]): Promise<string> =>
    instance.dockerOutput('run', '-d', '--name', name, ...args);
  const inspect = (name: string, format: string): Promise<string> =>
    instance.dockerOutput('inspect', '-f', format, name);
  const lasting = ['busybox', 'sleep', '1000000'];
  await instance.dockerOutput('network', 'create', '--subnet', '10.83.7.0/24', 'net');
  const serving = 'mkdir -p /data && echo kept >> /data/index.html && exec httpd -f -p 80 -h /data';
  const web = [
    '--restart',
    'always',
    '--network',
    'net',
    '--ip',
    '10.83.7.83',
    '-p',
    '127.0.0.1::80',
    '-v',
    'data:/data',
  ];
  await run('web', ...web, 'busybox', 'sh', '-c', serving);
  await run('unless', '--restart', 'unless-stopped', '--network', 'net', ...lasting);
  await run('stopped', '--restart', 'unless-stopped', ...lasting);
  await run('failing', '--restart', 'on-failure:9', 'busybox', 'sh', '-c', 'echo begun; exec sleep 1000000');
  await run('plain', ...lasting);
  await run('removed', '--rm', '-v', '/anonymous', ...lasting);
  await instance.dockerOutput('stop', '-t', '0', 'stopped');
  const port = (await instance.dockerOutput('port', 'web', '80')).split(':').at(-1) ?? '';
  await eventually('the page is there', async () => (await page(port)) === 'kept');

  const building = instance.dockerWith(
    { stdin: 'FROM busybox\nRUN touch /here && echo building && sleep 1000\n' },
    'build',
    '-',
  );
  const writables = join(instance.paths.data, 'engine/snapshots/writable');
  const isBuilding = (): boolean => readdirSync(writables).some((name) => name.startsWith('build-'));
  await eventually('a step of a build runs', () => Promise.resolve(isBuilding()));

  await reboot(instance);
  await building;
  await instance.start();

  const states = async (): Promise<readonly string[]> =>
    (await instance.dockerOutput('ps', '-a', '--format', '{{.Names}} {{.State}}')).split('\n').sort();
  await eventually('policies have acted', async () => {
    const now = await states();
    return now.includes('web running') && now.includes('unless running') && now.includes('failing running');
  });
  assert.deepEqual(await states(), [
    'failing running',
    'plain exited',
    'stopped exited',
    'unless running',
    'web running',
  ]);
  assert.equal(await inspect('plain', '{{.State.ExitCode}}'), '255', 'nobody knows how it ended');
  assert.equal(await inspect('web', '{{(index .NetworkSettings.Networks "net").IPAddress}}'), '10.83.7.83');
  assert.equal((await instance.dockerOutput('port', 'web', '80')).split(':').at(-1), port);
  await eventually('the page is there again', async () => (await page(port).catch(() => '')) === 'kept\nkept');
  assert.match(await instance.dockerOutput('exec', 'unless', 'nslookup', '-type=a', 'web'), /10\.83\.7\.83/);
  await eventually('its output was kept, and goes on', async () => {
    return (await instance.dockerOutput('logs', 'failing')) === 'begun\nbegun';
  });
  assert.deepEqual(
    readdirSync(writables).filter((name) => name.startsWith('build-')),
    [],
  );
  assert.deepEqual(
    await instance.dockerOutput('volume', 'ls', '-q'),
    'data',
    'the anonymous one went with its container',
  );
  await instance.dockerOutput('start', 'plain', 'stopped');
});
