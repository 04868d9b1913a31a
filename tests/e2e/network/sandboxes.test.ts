import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { changeLink } from '#sys/netlink/change-link.ts';
import { findLink, listLinks, removeLink } from '#sys/netlink/link.ts';
import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { inNetns, isNetns, removeNetns } from '#sys/netns.ts';
import { Nft } from '#sys/nft/nft.ts';
import { readSysctl, writeSysctl } from '#sys/sysctl.ts';

import { askTcp, isCutOff, serveTcp, udpClient, udpListener } from './peers.ts';
import {
  hostAddress,
  lanAddress,
  openInstance,
  port,
  PrivateHost,
  type RecordedEvents,
  sandboxRequest,
  signal,
} from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

test('containers on the default bridge reach each other, the host, and the outside with its address', async () => {
  const options = host.instance('talk');
  await using networks = await openInstance(options);
  const one = await networks.open(sandboxRequest('one'), signal());
  const two = await networks.open(sandboxRequest('two'), signal());
  const [first, second] = [one.endpoints[0], two.endpoints[0]];
  assert.ok(first && second);
  assert.equal(first.ipv4Address, '172.17.0.2');
  assert.equal(second.ipv4Address, '172.17.0.3');
  assert.equal(first.macAddress, '02:42:ac:11:00:02');
  assert.deepEqual([first.interfaceName, first.ipv4Gateway, first.ipv4PrefixLength], ['eth0', '172.17.0.1', 16]);
  using _one = serveTcp(one.netnsPath, 80, 'one');
  using _host = serveTcp(undefined, 8080, 'host');
  using _lan = serveTcp(host.lan, 8080, 'lan');
  assert.equal(await askTcp(two.netnsPath, first.ipv4Address, 80), `one ${second.ipv4Address}`);
  assert.equal(await askTcp(undefined, first.ipv4Address, 80), 'one 172.17.0.1');
  assert.equal(await askTcp(one.netnsPath, '172.17.0.1', 8080), `host ${first.ipv4Address}`);
  assert.equal(await askTcp(one.netnsPath, lanAddress, 8080), `lan ${hostAddress}`);
  assert.equal(await askTcp(one.netnsPath, '127.0.0.1', 80), 'one 127.0.0.1');
  assert.equal(one.files.resolvConf.includes(`nameserver ${lanAddress}\n`), true);
  assert.ok(one.files.hosts.includes(`${first.ipv4Address}\tone\n`));
  assert.deepEqual(first.dnsNames, []);
});

test('nobody outside reaches a container that publishes nothing, nor the loopback of the host through its bridge', async () => {
  await using networks = await openInstance(host.instance('closed'));
  const { netnsPath, endpoints } = await networks.open(sandboxRequest('shy'), signal());
  using _container = serveTcp(netnsPath, 80, 'shy');
  using local = udpListener('127.0.0.1', 8081);
  assert.equal(await isCutOff(host.lan, endpoints[0]?.ipv4Address ?? '', 80), true);
  // A hostile container with a route to the host's 127.0.0.1, which the bridge would take (it has route_localnet).
  assert.equal(readSysctl('net/ipv4/conf/slip-closed0/route_localnet'), '1');
  inNetns(netnsPath ?? '', () => writeSysctl('net/ipv4/conf/eth0/route_localnet', '1'));
  for (const command of ['route del local 127.0.0.1 table local', 'route del local 127.0.0.0/8 table local']) {
    execFileSync('nsenter', [`--net=${netnsPath ?? ''}`, 'ip', ...command.split(' ')]);
  }
  const hostile = ['route', 'add', '127.0.0.1/32', 'via', '172.17.0.1', 'src', endpoints[0]?.ipv4Address ?? ''];
  execFileSync('nsenter', [`--net=${netnsPath ?? ''}`, 'ip', ...hostile]);
  using sender = udpClient(netnsPath, 4);
  await assert.rejects(sender.ask('127.0.0.1', 8081, Buffer.from('attack'), 700), /silence/);
  assert.equal(local.count(), 0);
  using nft = new Nft();
  nft.run('flush chain inet slipway-closed guard');
  await Promise.race([local.first, sender.ask('127.0.0.1', 8081).catch(() => {})]);
  assert.notEqual(local.count(), 0, 'the guard alone keeps it out');
});

test('networks are separate, an internal one has no way out, and containers of a network without icc do not talk', async () => {
  await using networks = await openInstance(host.instance('apart'));
  await networks.create({ name: 'open' }, signal());
  await networks.create({ name: 'inner', internal: true }, signal());
  const options = { 'com.docker.network.bridge.enable_icc': 'false' };
  await networks.create({ name: 'mute', options }, signal());
  const place = async (name: string, network: string): Promise<{ path: string | undefined; address: string }> => {
    const { netnsPath, endpoints } = await networks.open(sandboxRequest(name, { endpoints: [{ network }] }), signal());
    return { path: netnsPath, address: endpoints[0]?.ipv4Address ?? '' };
  };
  const [bridge, open] = [await place('b1', 'bridge'), await place('o1', 'open')];
  const [inner1, inner2] = [await place('i1', 'inner'), await place('i2', 'inner')];
  const [mute1, mute2] = [await place('m1', 'mute'), await place('m2', 'mute')];
  using _servers = serveAll([bridge, open, inner1, inner2, mute1, mute2]);
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.equal(await askTcp(inner1.path, inner2.address, 80), `server ${inner1.address}`);
  assert.match(await askTcp(undefined, inner2.address, 80), /^server /);
  assert.equal(await askTcp(mute1.path, lanAddress, 80), `lan ${hostAddress}`);
  assert.match(await askTcp(undefined, mute1.address, 80), /^server /);
  assert.deepEqual(
    await Promise.all([
      isCutOff(bridge.path, open.address, 80),
      isCutOff(open.path, bridge.address, 80),
      isCutOff(inner1.path, lanAddress, 80),
      isCutOff(inner1.path, open.address, 80),
      isCutOff(open.path, inner1.address, 80),
      isCutOff(mute1.path, mute2.address, 80),
    ]),
    [true, true, true, true, true, true],
  );
});

test('none has a loopback, host is the host, and container joins another', async () => {
  await using networks = await openInstance(host.instance('modes'));
  const none = await networks.open(sandboxRequest('none', { mode: 'none', endpoints: [] }), signal());
  assert.ok(none.netnsPath);
  using inside = inNetns(none.netnsPath, () => openRouteSocket());
  assert.deepEqual(
    listLinks(inside)
      .filter(({ up }) => up)
      .map(({ name }) => name),
    ['lo'],
  );
  const asHost = await networks.open(
    sandboxRequest('host', { mode: 'host', endpoints: [], ports: [port(80)], extraHosts: ['x:10.0.0.9'] }),
    signal(),
  );
  assert.equal(asHost.netnsPath, undefined);
  assert.deepEqual(asHost.ports, []);
  assert.equal(asHost.files.hosts, '127.0.0.1\tlocalhost machine\n10.0.0.9\tx\n');
  const owner = await networks.open(sandboxRequest('owner'), signal());
  const joined = sandboxRequest('joined', { mode: 'container', endpoints: [], shareWith: owner.containerId });
  const guest = await networks.open(joined, signal());
  assert.equal(guest.netnsPath, owner.netnsPath);
  assert.deepEqual(guest.files, owner.files);
  await networks.close(guest.containerId);
  assert.ok(isNetns(owner.netnsPath ?? ''), 'closing a guest leaves the namespace');
  await networks.close(owner.containerId);
  await assert.rejects(networks.open(joined, signal()), {
    reason: 'Conflict',
    message: `cannot join network of a non running container: ${owner.containerId}`,
  });
});

test('a live container joins and leaves networks; its default route and ports move along', async () => {
  const options = host.instance('live');
  await using networks = await openInstance(options);
  await networks.create({ name: 'apples' }, signal());
  await networks.create({ name: 'zebras', internal: true }, signal());
  const changes: string[] = [];
  using _listener = networks.onFiles((id, { hosts }) => changes.push(`${id.slice(0, 8)} ${hosts}`));
  const request = sandboxRequest('mover', { ports: [port(80)] });
  const first = await networks.open(request, signal());
  const hostPort = first.ports[0]?.hostPort ?? 0;
  using _server = serveTcp(first.netnsPath, 80, 'mover');
  assert.match(await askTcp(host.lan, hostAddress, hostPort), /^mover /);

  const joined = { mode: 'container', endpoints: [], shareWith: request.containerId } as const;
  const guest = await networks.open(sandboxRequest('guest', joined), signal());

  const apples = await networks.connect(request.containerId, { network: 'apples', aliases: ['fruit'] }, signal());
  const zebras = await networks.connect(request.containerId, { network: 'zebras' }, signal());
  assert.deepEqual([apples.interfaceName, zebras.interfaceName, zebras.ipv4Gateway], ['eth1', 'eth2', '']);
  assert.deepEqual(apples.dnsNames, ['mover', 'fruit', request.containerId.slice(0, 12)]);
  for (const [index, id] of [request.containerId, guest.containerId].entries()) {
    assert.match(changes.at(index - 2) ?? '', new RegExp(`^${id.slice(0, 8)} (.|\n)*${zebras.ipv4Address}\tmover`));
  }
  await assert.rejects(networks.connect(guest.containerId, { network: 'apples' }, signal()), { reason: 'Forbidden' });
  assert.match(await askTcp(host.lan, hostAddress, hostPort), /^mover /);
  await assert.rejects(networks.connect(request.containerId, { network: 'apples' }, signal()), { reason: 'Forbidden' });

  await networks.disconnect(request.containerId, 'apples', signal());
  await networks.disconnect(request.containerId, 'bridge', signal());
  assert.equal(networks.sandbox(request.containerId)?.ports.length, 0, 'nothing leads out any more');
  await assert.rejects(askTcp(host.lan, hostAddress, hostPort), /ECONNREFUSED/);
  const back = await networks.connect(request.containerId, { network: 'bridge' }, signal());
  assert.equal(back.interfaceName, 'eth0');
  const again = networks.sandbox(request.containerId)?.ports[0]?.hostPort ?? 0;
  assert.match(await askTcp(host.lan, hostAddress, again), /^mover /);
  await assert.rejects(networks.disconnect(request.containerId, 'apples', signal()), { reason: 'Forbidden' });

  const { published } = options.events as RecordedEvents;
  assert.deepEqual(
    published
      .filter(({ attributes }) => attributes['name'] !== 'zebras')
      .map(({ action, attributes }) => `${action} ${attributes['name'] ?? ''}`),
    ['create apples', 'connect bridge', 'connect apples', 'disconnect apples', 'disconnect bridge', 'connect bridge'],
  );
});

test('a request that fails half-way leaves nothing', async () => {
  const options = host.instance('undo');
  await using networks = await openInstance(options);
  await networks.create({ name: 'side' }, signal());
  using socket = openRouteSocket();
  const before = listLinks(socket).length;
  const taken = await networks.open(sandboxRequest('taken', { ports: [port(80)] }), signal());
  const hostPort = taken.ports[0]?.hostPort ?? 0;
  const wanted = sandboxRequest('late', {
    endpoints: [{ network: 'bridge' }, { network: 'side' }],
    ports: [port(81), port(82, { hostPort })],
  });
  await assert.rejects(networks.open(wanted, signal()), { reason: 'Busy' });
  assert.equal(networks.sandbox(wanted.containerId), undefined);
  assert.equal(existsSync(`${options.runDir}/netns/${wanted.containerId}`), false);
  const free = await networks.open({ ...wanted, ports: [] }, signal());
  assert.equal(free.endpoints[0]?.ipv4Address, '172.17.0.3', 'its address was given back');
  await networks.close(wanted.containerId);
  await networks.close(wanted.containerId);
  await networks.close(taken.containerId);
  await linksAre(before);
  assert.equal(findLink(socket, 'eth0'), undefined);
});

test('what a killed process made in part is closed like the rest', async () => {
  await using networks = await openInstance(host.instance('part'));
  using socket = openRouteSocket();
  const before = listLinks(socket).length;
  const names = ['down', 'loose', 'gone', 'unpinned'];
  const sandboxes = await Promise.all(names.map((name) => networks.open(sandboxRequest(name), signal())));
  const links = sandboxes.map(({ endpoints }) => findLink(socket, `sv-${endpoints[0]?.endpointId.slice(0, 12) ?? ''}`));
  const [down, loose, gone] = links.map((link) => link?.index ?? 0);
  changeLink(socket, down ?? 0, { up: false });
  changeLink(socket, loose ?? 0, { master: 0 });
  removeLink(socket, gone ?? 0);
  removeNetns(sandboxes[3]?.netnsPath ?? '');
  await networks.reconcile(new Set(), signal());
  assert.deepEqual(
    sandboxes.map(({ containerId }) => networks.sandbox(containerId)),
    [undefined, undefined, undefined, undefined],
  );
  await linksAre(before);
});

type Served = { readonly path: string | undefined; readonly address: string };

function serveAll(places: readonly Served[]): Disposable {
  const servers = new DisposableStack();
  for (const { path } of places) servers.use(serveTcp(path, 80, 'server'));
  return servers;
}

/** The kernel removes the interfaces of a namespace that is gone in its own time. */
async function linksAre(count: number): Promise<void> {
  using socket = openRouteSocket();
  await eventually('the links are as before', () => listLinks(socket).length === count);
}
