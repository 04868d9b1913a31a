import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { CommandResult } from '../../kit/command.ts';
import { Instance } from '../../kit/instance.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const root = makeRoot();
const sockets = {
  reader: join(root, 'reader.sock'),
  shop: join(root, 'shop.sock'),
  bank: join(root, 'bank.sock'),
};
const list = `${sockets.reader}:read-only,${sockets.shop}:project:shop,${sockets.bank}:project:bank`;
const instance = new Instance(root, { settings: [`docker.sockets=${list}`] });

before(async () => {
  await instance.start();
  await instance.loadBusybox();
});
after(async () => instance.destroy());

const as = async (who: keyof typeof sockets, ...args: readonly string[]): Promise<CommandResult> =>
  instance.dockerWith({ env: { DOCKER_HOST: `unix://${sockets[who]}` } }, ...args);

async function output(who: keyof typeof sockets, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await as(who, ...args);
  assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

test('a read-only socket shows what runs, without secrets, and changes nothing', async () => {
  await instance.dockerOutput(
    'run',
    '-d',
    '--name',
    'app',
    '-e',
    'TOKEN=geheim',
    'busybox',
    'sh',
    '-c',
    'echo hello; sleep 3600',
  );
  assert.equal(statSync(sockets.reader).mode & 0o777, 0o660);
  assert.equal(await output('reader', 'ps', '--format', '{{.Names}}'), 'app');
  assert.equal(await output('reader', 'logs', 'app'), 'hello');
  const shown = await output('reader', 'inspect', 'app');
  assert.match(shown, /TOKEN=\*{8}/);
  assert.equal(shown.includes('geheim'), false);
  assert.match(await output('reader', 'stats', '--no-stream', 'app'), /app/);
  assert.match(await output('reader', 'system', 'df'), /Containers/);
  for (const args of [
    ['exec', 'app', 'true'],
    ['stop', 'app'],
    ['rm', '-f', 'app'],
    ['cp', 'app:/etc/group', '-'],
    ['export', 'app'],
    ['run', 'busybox'],
    ['volume', 'create', 'x'],
    ['image', 'rm', 'busybox'],
    ['save', 'busybox'],
  ]) {
    const { code, stderr } = await as('reader', ...args);
    assert.notEqual(code, 0, args.join(' '));
    assert.match(stderr, /This socket is read-only: (GET|POST|PUT|DELETE|HEAD) \/|Forbidden|403/, args.join(' '));
  }
});

test('a project sees and changes its own, and nobody else’s', async () => {
  await output('shop', 'volume', 'create', 'goods');
  await output('shop', 'network', 'create', 'counter');
  await output(
    'shop',
    'run',
    '-d',
    '--name',
    'shop-web',
    '--network',
    'counter',
    '-v',
    'goods:/g',
    '-v',
    'till:/t',
    'busybox',
    'sleep',
    '3600',
  );
  await output('bank', 'run', '-d', '--name', 'bank-web', '-v', 'vault:/v', 'busybox', 'sleep', '3600');
  assert.equal(await output('shop', 'ps', '-a', '--format', '{{.Names}}'), 'shop-web');
  assert.equal(await output('shop', 'volume', 'ls', '-q'), 'goods\ntill');
  assert.equal(await output('shop', 'network', 'ls', '--format', '{{.Name}}'), 'counter');
  assert.equal(await output('shop', 'exec', 'shop-web', 'echo', 'mine'), 'mine');
  assert.equal(await output('bank', 'ps', '-a', '--format', '{{.Names}}'), 'bank-web');
  assert.equal(
    await instance.dockerOutput('inspect', '-f', '{{index .Config.Labels "com.docker.compose.project"}}', 'bank-web'),
    'bank',
  );
  for (const args of [
    ['exec', 'bank-web', 'true'],
    ['rm', 'bank-web'],
    ['logs', 'bank-web'],
    ['inspect', 'bank-web'],
    ['volume', 'rm', 'vault'],
    ['run', '--rm', '--volumes-from', 'bank-web', 'busybox'],
    ['run', '--rm', '--network', 'container:bank-web', 'busybox'],
    ['run', '--rm', '-v', 'vault:/v', 'busybox'],
    ['run', '--rm', '-v', '/etc:/e', 'busybox'],
    ['run', '--rm', '--privileged', 'busybox'],
    ['run', '--rm', '--pid', 'host', 'busybox'],
    ['run', '--rm', '--network', 'host', 'busybox'],
    ['image', 'rm', 'busybox'],
  ])
    assert.notEqual((await as('shop', ...args)).code, 0, args.join(' '));
  const denied = await as('shop', 'run', '--rm', '--privileged', 'busybox');
  assert.match(denied.stderr, /This socket is for the project "shop" only: HostConfig\.Privileged is not allowed/);
  await output('shop', 'container', 'prune', '-f');
  assert.equal(await output('bank', 'exec', 'bank-web', 'echo', 'still here'), 'still here');
  await output('shop', 'rm', '-f', 'shop-web');
  await output('shop', 'volume', 'prune', '-f', '--filter', 'all=1');
  assert.equal(await instance.dockerOutput('volume', 'ls', '-q'), 'vault');
});
