import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findLink } from '#sys/netlink/link.ts';
import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { inNetns } from '#sys/netns.ts';

import { askTcp, serveTcp } from './peers.ts';
import { lanAddress, openInstance, port, PrivateHost, sandboxRequest, signal } from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

const lan = {
  name: 'lan',
  driver: 'macvlan',
  subnets: [{ subnet: '198.51.100.0/24', gateway: '198.51.100.254', ipRange: '198.51.100.128/25' }],
  options: { parent: 'uplink' },
};

test('containers are machines of the LAN: by address, by name, and again at once', async () => {
  const options = host.instance('macv');
  await using networks = await openInstance(options);
  await networks.create(lan, signal());
  const endpoints = [{ network: 'lan', macAddress: '02:00:00:00:00:77' }];
  const request = sandboxRequest('one', { endpoints, ports: [port(80, { hostPort: 8080 })] });
  const one = await networks.open(request, signal());
  assert.deepEqual(one.ports, [], 'it has an address of its own');
  const [endpoint] = one.endpoints;
  assert.deepEqual([endpoint?.ipv4Address, endpoint?.macAddress], ['198.51.100.128', '02:00:00:00:00:77']);
  using _one = serveTcp(one.netnsPath, 80, 'one');
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.equal(await askTcp(host.lan, '198.51.100.128', 80), `one ${lanAddress}`);
  assert.equal(await askTcp(one.netnsPath, lanAddress, 80), 'lan 198.51.100.128');
  const two = await networks.open(sandboxRequest('two', { endpoints: [{ network: 'lan' }] }), signal());
  assert.match(await askTcp(two.netnsPath, '198.51.100.128', 80), /^one /);
  assert.ok(two.files.resolvConf.includes('127.0.0.11') && two.endpoints[0]?.dnsNames.includes('two'));
  await networks.close(request.containerId);
  const again = await networks.open(request, signal());
  assert.equal(again.endpoints[0]?.macAddress, '02:00:00:00:00:77', 'the address is free at once');
});

test('a live container joins and leaves, a network goes when nobody is on it', async () => {
  await using networks = await openInstance(host.instance('macvl'));
  await networks.create(lan, signal());
  const request = sandboxRequest('mover');
  const { netnsPath = '' } = await networks.open(request, signal());
  const endpoint = await networks.connect(request.containerId, { network: 'lan' }, signal());
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.equal(await askTcp(netnsPath, lanAddress, 80), `lan ${endpoint.ipv4Address}`);
  await assert.rejects(networks.remove('lan', signal()), { reason: 'Forbidden' });
  await networks.disconnect(request.containerId, 'lan', signal());
  using inside = inNetns(netnsPath, () => openRouteSocket());
  assert.equal(findLink(inside, endpoint.interfaceName), undefined);
  await networks.remove('lan', signal());
});

test('what cannot be is refused with a way out', async () => {
  await using networks = await openInstance(host.instance('macvx'));
  const create = (change: object): Promise<unknown> => networks.create({ ...lan, ...change }, signal());
  await assert.rejects(create({ options: {} }), { reason: 'InvalidArgument', message: /name it with -o parent=/ });
  await assert.rejects(create({ options: { parent: 'nope' } }), {
    reason: 'NotFound',
    message: /choose another parent/,
  });
  await assert.rejects(create({ options: { parent: 'slip-macvx0', macvlan_mode: 'x' } }), {
    reason: 'InvalidArgument',
  });
  await create({});
  await assert.rejects(create({ name: 'second', subnets: [{ subnet: '10.7.0.0/24' }] }), {
    reason: 'Conflict',
    message: 'network lan is already using parent interface uplink',
  });
  assert.equal(networks.find('second'), undefined);
});

test('ipvlan works where the kernel has it, and is refused by name where it has not', async () => {
  await using networks = await openInstance(host.instance('ipvl'));
  try {
    await networks.create({ ...lan, driver: 'ipvlan' }, signal());
  } catch (error) {
    assert.match(String(error), /Cannot use driver ipvlan: this machine's kernel does not have it/);
    return;
  }
  const one = await networks.open(sandboxRequest('one', { endpoints: [{ network: 'lan' }] }), signal());
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.match(await askTcp(one.netnsPath, lanAddress, 80), /^lan /);
});
