import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { createLogger } from '#base/logger.ts';
import type { Networks, NewNetwork } from '#engine/network/networks.ts';
import { openNetworks } from '#engine/network/open-networks.ts';
import { removeKernelState } from '#engine/network/remove-kernel-state.ts';
import { findLink, listLinks } from '#sys/netlink/link.ts';
import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { addBridge } from '#sys/netlink/new-link.ts';
import { Nft } from '#sys/nft/nft.ts';
import { readSysctl } from '#sys/sysctl.ts';

import { askTcp, isCutOff, serveTcp } from './peers.ts';
import {
  openInstance,
  port,
  PrivateHost,
  type RecordedEvents,
  sandboxRequest,
  signal,
} from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

test('the three networks that are always there, and those of the user, outlive the process', async () => {
  const options = host.instance('keep');
  let before: readonly unknown[];
  {
    const networks = await openNetworks(options, signal());
    const labels = { team: 'blue' };
    const driverOptions = { 'com.docker.network.bridge.name': 'kept0', 'com.docker.network.driver.mtu': '1400' };
    const wanted: NewNetwork = {
      name: 'kept',
      subnets: [
        { subnet: '10.5.0.0/16', gateway: '10.5.5.1', ipRange: '10.5.9.0/24', auxAddresses: { printer: '10.5.9.0' } },
      ],
      labels,
      options: driverOptions,
    };
    await networks.create(wanted, signal());
    before = networks.list();
    await networks[Symbol.asyncDispose]();
  }
  await using networks = await openInstance(options);
  assert.deepEqual(networks.list(), before);
  assert.deepEqual(
    networks
      .list()
      .map(({ name, driver, bridgeName }) => `${name} ${driver} ${bridgeName}`)
      .sort(),
    ['bridge bridge slip-keep0', 'host host ', 'kept bridge kept0', 'none none '],
  );
  using socket = openRouteSocket();
  assert.deepEqual([findLink(socket, 'kept0')?.mtu, findLink(socket, 'kept0')?.up], [1400, true]);
  assert.equal(readSysctl('net/ipv4/ip_forward'), '1');
  const sandbox = await networks.open(sandboxRequest('first', { endpoints: [{ network: 'kept' }] }), signal());
  assert.deepEqual(
    sandbox.endpoints.map(({ ipv4Address, ipv4Gateway }) => [ipv4Address, ipv4Gateway]),
    [['10.5.9.1', '10.5.5.1']],
  );
  const { id } = networks.get('kept');
  assert.equal(networks.get(id.slice(0, 12)).name, 'kept');
  assert.equal(networks.find('nothing'), undefined);
  assert.throws(() => networks.get('nothing'), { reason: 'NotFound', message: 'network nothing not found' });
});

test('networks are refused in the words of Docker', async () => {
  await using networks = await openInstance(host.instance('no'));
  await networks.create({ name: 'one', subnets: [{ subnet: '10.6.0.0/16' }] }, signal());
  const refused = async (wanted: NewNetwork, reason: string, message: RegExp): Promise<void> => {
    await assert.rejects(networks.create(wanted, signal()), { reason, message }, JSON.stringify(wanted));
  };
  await refused({ name: 'one' }, 'Conflict', /^network with name one already exists$/);
  await refused({ name: 'bridge' }, 'Forbidden', /predefined bridge network/);
  const overlap = /^invalid pool request: Pool overlaps with other one on this address space$/;
  await refused({ name: 'two', subnets: [{ subnet: '10.6.7.0/24' }] }, 'Forbidden', overlap);
  await refused({ name: 'two', subnets: [{ subnet: 'gibberish' }] }, 'InvalidArgument', /gibberish/);
  await refused({ name: 'two', options: { 'com.example.strange': '1' } }, 'NotSupported', /com\.example\.strange/);
  await refused({ name: 'two', driver: 'overlay' }, 'NotSupported', /overlay/);
  await refused({ name: '../two' }, 'InvalidArgument', /invalid network name/);
  using socket = openRouteSocket();
  addBridge(socket, { name: 'foreign0' });
  const foreign = { name: 'two', options: { 'com.docker.network.bridge.name': 'foreign0' } };
  await refused(foreign, 'Conflict', /"foreign0" exists already/);
  assert.ok(findLink(socket, 'foreign0'), 'what is not ours stays');
  assert.equal(networks.find('two'), undefined);
  await networks.create({ name: 'two', subnets: [{ subnet: '10.7.0.0/16' }] }, signal());

  const request = sandboxRequest('user', { endpoints: [{ network: 'one' }] });
  await networks.open(request, signal());
  await assert.rejects(networks.remove('one', signal()), {
    reason: 'Forbidden',
    message: /has active endpoints \(name:"user"/,
  });
  await assert.rejects(networks.remove('host', signal()), { reason: 'Forbidden' });
  const check = (change: Parameters<typeof sandboxRequest>[1]): void => networks.check(sandboxRequest('x', change));
  assert.throws(() => check({ endpoints: [{ network: 'missing' }] }), { reason: 'NotFound' });
  assert.throws(() => check({ endpoints: [{ network: 'one', ipv4Address: '10.8.0.1' }] }), {
    reason: 'InvalidArgument',
  });
  assert.throws(() => check({ endpoints: [{ network: 'bridge', ipv4Address: '172.17.0.9' }] }), {
    reason: 'InvalidArgument',
  });
  const used = { endpoints: [{ network: 'one', ipv4Address: '10.6.0.2' }] };
  await assert.rejects(networks.open(sandboxRequest('late', used), signal()), {
    reason: 'Conflict',
    message: /^Address already in use/,
  });
});

test('networks without endpoints are removed and pruned, bridges and all', async () => {
  const options = host.instance('prune');
  await using networks = await openInstance(options);
  for (const name of ['a', 'b', 'c', 'd']) await networks.create({ name }, signal());
  const bridges = networks
    .list()
    .map(({ bridgeName }) => bridgeName)
    .filter((name) => name !== '');
  assert.deepEqual(missingLinks(bridges), []);
  await networks.open(sandboxRequest('user', { endpoints: [{ network: 'b' }] }), signal());
  await networks.remove('a', signal());
  assert.deepEqual(await networks.prune(new Set([networks.get('c').id]), signal()), ['d']);
  assert.deepEqual(
    networks
      .list()
      .map(({ name }) => name)
      .sort(),
    ['b', 'bridge', 'c', 'host', 'none'],
  );
  assert.equal(missingLinks(bridges).length, 2);
  assert.equal(readdirSync(options.dataDir).filter((name) => name.endsWith('.json')).length, 5);
  const { published } = options.events as RecordedEvents;
  assert.deepEqual(
    published.map(({ action, attributes }) => [action, attributes['name'], attributes['type']].join(' ')),
    [
      'create a bridge',
      'create b bridge',
      'create c bridge',
      'create d bridge',
      'connect b bridge',
      'destroy a bridge',
      'destroy d bridge',
    ],
  );
});

test('a damaged definition is set aside and the rest goes on', async () => {
  const options = host.instance('damage');
  const lines: string[] = [];
  const logger = createLogger({ level: 'warn', format: 'json', write: (line) => lines.push(line) });
  {
    const networks = await openNetworks(options, signal());
    await networks.create({ name: 'good' }, signal());
    await networks[Symbol.asyncDispose]();
  }
  writeFileSync(join(options.dataDir, `${'a'.repeat(64)}.json`), '{"id": "torn');
  writeFileSync(join(options.dataDir, `${'b'.repeat(64)}.json`), JSON.stringify({ id: 'b'.repeat(64), name: 5 }));
  await using networks = await openInstance({ ...options, logger });
  assert.deepEqual(
    networks
      .list()
      .map(({ name }) => name)
      .sort(),
    ['bridge', 'good', 'host', 'none'],
  );
  assert.equal(readdirSync(join(options.dataDir, 'damaged')).length, 2);
  assert.equal(lines.filter((line) => line.includes('damaged')).length, 2);
});

test('two instances live side by side, choose different subnets, and only one is taken away', async () => {
  const options = { one: host.instance('side1'), two: host.instance('side2') };
  await using one = await openInstance(options.one);
  const two = await openNetworks(options.two, signal());
  const subnetOf = (networks: Networks): string => networks.get('bridge').subnets[0]?.subnet ?? '';
  assert.notEqual(subnetOf(one), subnetOf(two));
  const request = sandboxRequest('same', { ports: [port(80)] });
  const [first, second] = [await one.open(request, signal()), await two.open(request, signal())];
  using _one = serveTcp(first.netnsPath, 80, 'one');
  using _two = serveTcp(second.netnsPath, 80, 'two');
  const [port1, port2] = [first.ports[0]?.hostPort ?? 0, second.ports[0]?.hostPort ?? 0];
  assert.notEqual(port1, port2);
  assert.match(await askTcp(host.lan, '198.51.100.1', port1), /^one /);
  assert.match(await askTcp(host.lan, '198.51.100.1', port2), /^two /);
  assert.match(await askTcp(first.netnsPath, '198.51.100.1', port2), /^two /);
  assert.equal(await isCutOff(first.netnsPath, second.endpoints[0]?.ipv4Address ?? '', 80), true);
  const taken = { hostPort: port2, hostPortEnd: port2 };
  await assert.rejects(one.open(sandboxRequest('late', { ports: [port(81, taken)] }), signal()), {
    reason: 'Busy',
  });

  await two[Symbol.asyncDispose]();
  assert.match(await askTcp(host.lan, '198.51.100.1', port2), /^two /, 'containers go on without the process');
  removeKernelState(options.two);
  removeKernelState(options.two);
  assert.deepEqual(missingLinks(['slip-side10', 'slip-side20']), ['slip-side20']);
  assert.equal(existsSync(second.netnsPath ?? ''), false);
  using nft = new Nft();
  const tables = nft
    .list('list tables')
    .flatMap((object) => (object['table'] as { name: string } | undefined)?.name ?? []);
  assert.deepEqual(
    tables.filter((name) => name.startsWith('slipway-side')),
    ['slipway-side1'],
  );
  assert.match(await askTcp(host.lan, '198.51.100.1', port1), /^one /);
});

function missingLinks(names: readonly string[]): readonly string[] {
  using socket = openRouteSocket();
  const there = new Set(listLinks(socket).map(({ name }) => name));
  return names.filter((name) => !there.has(name));
}
