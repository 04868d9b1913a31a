import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { needsClient } from '../../kit/needs-client.ts';
import { openInstance } from '../../kit/open-instance.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

const run = (name: string, ...args: readonly string[]): Promise<string> =>
  instance.dockerOutput('run', '-d', '--name', name, ...args, 'busybox', 'sleep', '3600');
const inside = (name: string, ...command: readonly string[]): Promise<string> =>
  instance.dockerOutput('exec', name, ...command);
const inspect = (name: string, format: string): Promise<string> => instance.dockerOutput('inspect', '-f', format, name);

test('links on the default bridge are hosts and variables, and follow the other container', async () => {
  await run('redis', '--expose', '6379', '-e', 'SECRET=x', '--hostname', 'inner');
  const linked = await instance.dockerOutput(
    'run',
    '--rm',
    '--name',
    'web',
    '--link',
    'redis:db',
    'busybox',
    'sh',
    '-c',
    'env; cat /etc/hosts',
  );
  const address = await inspect('redis', '{{.NetworkSettings.IPAddress}}');
  assert.match(linked, new RegExp(`^DB_PORT_6379_TCP=tcp://${address}:6379$`, 'm'));
  assert.match(linked, /^DB_ENV_SECRET=x$/m);
  assert.match(linked, /^DB_NAME=\/web\/db$/m);
  assert.match(linked, new RegExp(`^${address}\tdb inner redis$`, 'm'));
  await run('lasting', '--link', 'redis');
  assert.match(await inside('lasting', 'env'), new RegExp(`^REDIS_PORT_6379_TCP_ADDR=${address}$`, 'm'));
  assert.equal(await inspect('lasting', '{{.HostConfig.Links}}'), '[/redis:/lasting/redis]');
  await instance.dockerOutput('stop', '-t', '0', 'redis');
  assert.doesNotMatch(await inside('lasting', 'env'), /REDIS_PORT/);
  const refused = await instance.docker('run', '--rm', '--name', 'late', '--link', 'redis:db', 'busybox');
  assert.match(refused.stderr, /Cannot link to a non running container: \/redis AS \/late\/db/);
  await run('squatter');
  await instance.dockerOutput('start', 'redis');
  const moved = await inspect('redis', '{{.NetworkSettings.IPAddress}}');
  assert.notEqual(moved, address);
  await eventually('the link follows', async () =>
    (await inside('lasting', 'cat', '/etc/hosts')).includes(`${moved}\t`),
  );
  assert.match(
    (await instance.docker('create', '--link', 'nobody', 'busybox')).stderr,
    /could not get container for nobody/,
  );
  await instance.dockerOutput('rm', '-f', 'redis', 'lasting', 'squatter');
});

test('after the platform was down, a container starts after those that it is linked to', async () => {
  await run('pond', '--restart', 'always');
  await run('frog', '--restart', 'always', '--link', 'pond:home');
  await instance.slipway('down');
  await instance.start();
  await eventually('both run again', async () => {
    const states = await instance.dockerOutput('inspect', '-f', '{{.State.Running}}', 'pond', 'frog');
    return states === 'true\ntrue';
  });
  assert.match(await inside('frog', 'cat', '/etc/hosts'), /\thome /);
  await instance.dockerOutput('rm', '-f', 'pond', 'frog');
});

test('links on other networks are names that only the container knows', async () => {
  await instance.dockerOutput('network', 'create', 'sea');
  await run('cache', '--network', 'sea');
  await run('app', '--network', 'sea', '--link', 'cache:store');
  await run('other', '--network', 'sea');
  assert.match(await inside('app', 'nslookup', 'store'), /Address/);
  assert.notEqual((await instance.docker('exec', 'other', 'nslookup', 'store')).code, 0);
  await instance.dockerOutput('network', 'create', 'lake');
  await instance.dockerOutput('network', 'connect', 'lake', 'cache');
  await instance.dockerOutput('network', 'connect', '--link', 'cache:pond', '--alias', 'duck', 'lake', 'other');
  assert.match(await inside('other', 'nslookup', 'pond'), /Address/);
  assert.match(await inside('cache', 'nslookup', 'duck'), /Address/);
  assert.equal(await inspect('other', '{{(index .NetworkSettings.Networks "lake").Links}}'), '[cache:pond]');
  await instance.dockerOutput('rm', '-f', 'cache', 'app', 'other');
  await instance.dockerOutput('network', 'rm', 'sea', 'lake');
});

test(
  'an endpoint has the wishes that the client names, when it runs and when it is joined',
  needsClient(28),
  async () => {
    await instance.dockerOutput(
      'network',
      'create',
      '--ipv6',
      '--subnet',
      '10.232.1.0/24',
      '--subnet',
      'fd32::/64',
      'one',
    );
    await instance.dockerOutput('network', 'create', '--subnet', '10.232.2.0/24', 'two');
    const sysctls = 'com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1';
    await run(
      'wisher',
      '--network',
      `name=one,ip=10.232.1.9,ip6=fd32::9,mac-address=02:00:00:00:00:09,alias=w,"driver-opt=${sysctls}"`,
      '--network',
      'name=two,gw-priority=1,driver-opt=com.docker.network.endpoint.ifname=lan7',
    );
    assert.match(await inside('wisher', 'ip', 'route'), /default via 10\.232\.2\.1 dev lan7/);
    assert.match(await inside('wisher', 'ip', '-6', 'route'), /default via fd32::1 dev eth0/);
    assert.match(await inside('wisher', 'ip', 'link', 'show', 'eth0'), /02:00:00:00:00:09/);
    assert.equal(await inside('wisher', 'cat', '/proc/sys/net/ipv4/conf/eth0/log_martians'), '1');
    const endpoint = '{{with index .NetworkSettings.Networks "two"}}{{.GwPriority}} {{.DriverOpts}}{{end}}';
    assert.equal(await inspect('wisher', endpoint), '1 map[com.docker.network.endpoint.ifname:lan7]');
    await run('guest', '--network', 'two');
    const wishes = ['--ip', '10.232.1.8', '--ip6', 'fd32::8', '--gw-priority', '5', '--link-local-ip', '169.254.3.3'];
    await instance.dockerOutput('network', 'connect', ...wishes, 'one', 'guest');
    assert.match(await inside('guest', 'ip', 'route'), /default via 10\.232\.1\.1 dev eth1/);
    assert.match(await inside('guest', 'ip', 'addr'), /fd32::8[\s\S]*169\.254\.3\.3|169\.254\.3\.3[\s\S]*fd32::8/);
    await instance.dockerOutput('network', 'disconnect', 'one', 'guest');
    assert.match(await inside('guest', 'ip', 'route'), /default via 10\.232\.2\.1 dev eth0/);
    const unknown = ['network', 'connect', '--driver-opt', 'x=y', 'one', 'guest'];
    assert.match((await instance.docker(...unknown)).stderr, /Cannot use network option "x"/);
    await instance.dockerOutput('rm', '-f', 'wisher', 'guest');
    await instance.dockerOutput('network', 'rm', 'one', 'two');
  },
);

test('a network may have IPv6 alone, or a mode of its gateway, and says so', needsClient(28), async () => {
  await instance.dockerOutput('network', 'create', '--ipv4=false', '--ipv6', 'six');
  await run('sixth', '--network', 'six', '-p', '8080');
  assert.equal(await inspect('sixth', '{{(index .NetworkSettings.Networks "six").IPAddress}}'), '');
  assert.equal(await inspect('six', '{{.EnableIPv4}} {{.EnableIPv6}} {{len .IPAM.Config}}'), 'false true 1');
  const both = ['network', 'create', '--ipv4=false', 'none-at-all'];
  assert.match((await instance.docker(...both)).stderr, /IPv4 or IPv6 must be enabled/);
  const mode = 'com.docker.network.bridge.gateway_mode_ipv6=routed';
  await instance.dockerOutput('network', 'create', '--ipv6', '-o', mode, 'half');
  await run('halved', '--network', 'half', '-p', '8080:80');
  assert.equal(
    await inspect('halved', '{{json .NetworkSettings.Ports}}'),
    '{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":""}]}',
  );
  await instance.dockerOutput('rm', '-f', 'sixth', 'halved');
  await instance.dockerOutput('network', 'rm', 'six', 'half');
});
