import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { listAddresses } from '#sys/netlink/interface-address.ts';
import { findLink } from '#sys/netlink/link.ts';
import { inNetns } from '#sys/netns.ts';
import { readSysctl } from '#sys/sysctl.ts';

import { askTcp, isCutOff, serveTcp } from './peers.ts';
import {
  hostAddress,
  lanAddress,
  lanAddress6,
  openInstance,
  port,
  PrivateHost,
  sandboxRequest,
  signal,
} from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

const option = (name: string, value: string): Record<string, string> => ({
  [`com.docker.network.bridge.${name}`]: value,
});

test('a routed network opens published ports at the addresses of containers, which they keep outside', async () => {
  await using networks = await openInstance(host.instance('routed'));
  const options = { ...option('gateway_mode_ipv4', 'routed'), ...option('gateway_mode_ipv6', 'routed') };
  const subnets = [{ subnet: '10.77.0.0/24' }, { subnet: 'fd77::/64' }];
  await networks.create({ name: 'direct', subnets, enableIPv6: true, options }, signal());
  await networks.create({ name: 'other' }, signal());
  const request = sandboxRequest('web', { endpoints: [{ network: 'direct' }], ports: [port(80, { hostPort: 8080 })] });
  const { netnsPath, ports } = await networks.open(request, signal());
  assert.deepEqual(
    ports.map(({ hostIp, hostPort }) => [hostIp, hostPort]),
    [
      ['0.0.0.0', 0],
      ['::', 0],
    ],
  );
  const stranger = await networks.open(sandboxRequest('far', { endpoints: [{ network: 'other' }] }), signal());
  using _web = serveTcp(netnsPath, 80, 'web');
  using _web6 = serveTcp(netnsPath, 80, 'web6', 'fd77::2');
  using _shut = serveTcp(netnsPath, 81, 'shut');
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.equal(await askTcp(host.lan, '10.77.0.2', 80), `web ${lanAddress}`);
  assert.equal(await askTcp(host.lan, 'fd77::2', 80), `web6 ${lanAddress6}`);
  assert.match(await askTcp(stranger.netnsPath, '10.77.0.2', 80), /^web /);
  assert.equal(await askTcp(netnsPath, lanAddress, 80), 'lan 10.77.0.2');
  assert.equal(await isCutOff(host.lan, '10.77.0.2', 81), true);
  await assert.rejects(askTcp(host.lan, hostAddress, 8080), /ECONNREFUSED/);
  await networks.close(request.containerId);
  await networks.open(sandboxRequest('heir', { endpoints: [{ network: 'direct' }] }), signal());
  assert.equal(await isCutOff(host.lan, '10.77.0.2', 80), true, 'the address is another container now');
});

test('an unprotected network is open to the outside, but not to other networks', async () => {
  await using networks = await openInstance(host.instance('unprot'));
  const options = option('gateway_mode_ipv4', 'nat-unprotected');
  await networks.create({ name: 'bare', subnets: [{ subnet: '10.78.0.0/24' }], options }, signal());
  const { netnsPath } = await networks.open(sandboxRequest('web', { endpoints: [{ network: 'bare' }] }), signal());
  const stranger = await networks.open(sandboxRequest('far'), signal());
  using _web = serveTcp(netnsPath, 80, 'web');
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.equal(await askTcp(host.lan, '10.78.0.2', 80), `web ${lanAddress}`);
  assert.equal(await askTcp(netnsPath, lanAddress, 80), `lan ${hostAddress}`, 'it is still masqueraded');
  assert.equal(await isCutOff(stranger.netnsPath, '10.78.0.2', 80), true);
});

test('a trusted interface of the host reaches published ports at the addresses of containers', async () => {
  await using networks = await openInstance(host.instance('trust'));
  const subnets = [{ subnet: '10.79.0.0/24' }];
  await networks.create({ name: 'known', subnets, options: option('trusted_host_interfaces', 'uplink') }, signal());
  const ports = [port(80, { hostIp: '127.0.0.1' })];
  const request = sandboxRequest('web', { endpoints: [{ network: 'known' }], ports });
  const { netnsPath } = await networks.open(request, signal());
  using _web = serveTcp(netnsPath, 80, 'web');
  using _shut = serveTcp(netnsPath, 81, 'shut');
  assert.equal(await askTcp(host.lan, '10.79.0.2', 80), `web ${lanAddress}`);
  assert.equal(await isCutOff(host.lan, '10.79.0.2', 81), true);
});

test('an isolated network has no address of the host; neither has one whose address is inhibited', async () => {
  await using networks = await openInstance(host.instance('isolat'));
  const isolated = { ...option('gateway_mode_ipv4', 'isolated'), ...option('name', 'iso0') };
  await networks.create({ name: 'iso', internal: true, options: isolated }, signal());
  const inhibited = { ...option('inhibit_ipv4', 'true'), ...option('name', 'inh0') };
  await networks.create({ name: 'inh', options: inhibited }, signal());
  using socket = openRouteSocket();
  const indexes = ['iso0', 'inh0'].map((name) => findLink(socket, name)?.index);
  assert.deepEqual(
    listAddresses(socket).filter(({ index, address }) => address.family === 4 && indexes.includes(index)),
    [],
  );
  const one = await networks.open(sandboxRequest('one', { endpoints: [{ network: 'iso' }] }), signal());
  const two = await networks.open(sandboxRequest('two', { endpoints: [{ network: 'iso' }] }), signal());
  using _one = serveTcp(one.netnsPath, 80, 'one');
  assert.match(await askTcp(two.netnsPath, one.endpoints[0]?.ipv4Address ?? '', 80), /^one /);
});

test('packets leave with the address that their network names', async () => {
  await using networks = await openInstance(host.instance('source'));
  await networks.create({ name: 'named', options: { 'com.docker.network.host_ipv4': '172.17.0.1' } }, signal());
  const { netnsPath } = await networks.open(sandboxRequest('one', { endpoints: [{ network: 'named' }] }), signal());
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.equal(await askTcp(netnsPath, lanAddress, 80), 'lan 172.17.0.1');
});

test('a network without IPv4 is published by its IPv6 address, for IPv4 clients too', async () => {
  await using networks = await openInstance(host.instance('six'));
  await networks.create({ name: 'six', enableIPv4: false, enableIPv6: true }, signal());
  const request = sandboxRequest('web', { endpoints: [{ network: 'six' }], ports: [port(80)] });
  const { netnsPath, endpoints, ports } = await networks.open(request, signal());
  assert.deepEqual([endpoints[0]?.ipv4Address, ports.map(({ hostIp }) => hostIp)], ['', ['0.0.0.0', '::']]);
  using _web = serveTcp(netnsPath, 80, 'web', endpoints[0]?.ipv6Address);
  const hostPort = ports[0]?.hostPort ?? 0;
  assert.match(await askTcp(host.lan, hostAddress, hostPort), /^web /);
  assert.match(await askTcp(undefined, '::1', hostPort), /^web /);
  using _lan = serveTcp(host.lan, 80, 'lan', lanAddress6);
  assert.match(await askTcp(netnsPath, lanAddress6, 80), /^lan fd51::1/);
});

test('each network may have its own interface name, kernel parameters, link-local addresses and priority', async () => {
  await using networks = await openInstance(host.instance('wishes'));
  await networks.create({ name: 'a', options: { 'com.docker.network.container_iface_prefix': 'net' } }, signal());
  await networks.create({ name: 'z' }, signal());
  const endpoint = {
    network: 'z',
    gatewayPriority: 1,
    linkLocalAddresses: ['169.254.7.7'],
    driverOptions: {
      'com.docker.network.endpoint.ifname': 'lan0',
      'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1',
    },
  };
  const request = sandboxRequest('one', { endpoints: [{ network: 'a' }, endpoint], ports: [port(80)] });
  const { netnsPath = '', endpoints, ports } = await networks.open(request, signal());
  assert.deepEqual(
    endpoints.map(({ interfaceName }) => interfaceName),
    ['net0', 'lan0'],
  );
  assert.equal(
    inNetns(netnsPath, () => readSysctl('net/ipv4/conf/lan0/log_martians')),
    '1',
  );
  using _web = serveTcp(netnsPath, 80, 'web');
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.match(await askTcp(host.lan, hostAddress, ports[0]?.hostPort ?? 0), /^web /);
  const peer = await networks.open(
    sandboxRequest('peer', { endpoints: [{ ...endpoint, linkLocalAddresses: ['169.254.7.8'] }] }),
    signal(),
  );
  assert.equal(await askTcp(peer.netnsPath, '169.254.7.7', 80), 'web 169.254.7.8');
  await networks.disconnect(request.containerId, 'z', signal());
  assert.match(await askTcp(host.lan, hostAddress, ports[0]?.hostPort ?? 0), /^web /, 'ports move to what is left');
  const wrong = {
    ...endpoint,
    driverOptions: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.nope=1' },
  };
  await assert.rejects(networks.connect(request.containerId, wrong, signal()), {
    reason: 'InvalidArgument',
    message: /Cannot set sysctl "net\/ipv4\/conf\/eth0\/nope"/,
  });
  assert.equal(networks.sandbox(request.containerId)?.endpoints.length, 1);
});
