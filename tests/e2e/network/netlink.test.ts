import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';

import { formatAddress, parseAddress, type IpAddress } from '#formats/ip-address.ts';
import { formatPrefix, parsePrefix } from '#formats/ip-prefix.ts';
import { parseMacAddress } from '#formats/mac-address.ts';
import { changeBridgePort, changeLink } from '#sys/netlink/change-link.ts';
import { listAddresses, removeAddress, setAddress } from '#sys/netlink/interface-address.ts';
import { findLink, listLinks, removeLink, type Link } from '#sys/netlink/link.ts';
import {
  listForwarding,
  listNeighbours,
  removeForwarding,
  removeNeighbour,
  setForwarding,
  setNeighbour,
} from '#sys/netlink/neighbour.ts';
import { NetlinkError, openRouteSocket, type NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import { addBridge, addVethPair, addVxlan } from '#sys/netlink/new-link.ts';
import { listRoutes, removeRoute, setRoute } from '#sys/netlink/route.ts';
import { inNetns } from '#sys/netns.ts';

import { Namespaces } from './namespace.ts';

test('a bridge is made, changed, listed and removed', () => {
  using namespaces = new Namespaces();
  using socket = openIn(namespaces.add('host'));
  const macAddress = mac('02:42:00:00:00:01');
  addBridge(socket, { name: 'br0', macAddress, mtu: 1400, up: true });
  const bridge = link(socket, 'br0');
  assert.equal(bridge.kind, 'bridge');
  assert.equal(bridge.mtu, 1400);
  assert.equal(bridge.up, true);
  assert.equal(bridge.macAddress, '02:42:00:00:00:01');

  changeLink(socket, bridge.index, { up: false });
  changeLink(socket, bridge.index, { name: 'br1', mtu: 1300, alias: 'mine', macAddress: mac('02:42:00:00:00:02') });
  const changed = link(socket, 'br1');
  assert.deepEqual(
    [changed.up, changed.mtu, changed.alias, changed.macAddress, changed.index],
    [false, 1300, 'mine', '02:42:00:00:00:02', bridge.index],
  );
  assert.ok(listLinks(socket).some(({ name }) => name === 'lo'));
  assert.equal(removeLink(socket, bridge.index), true);
  assert.equal(removeLink(socket, bridge.index), false);
  assert.equal(findLink(socket, 'br1'), undefined);
});

test('the kernel says why it refuses', () => {
  using namespaces = new Namespaces();
  using socket = openIn(namespaces.add('host'));
  addBridge(socket, { name: 'br0' });
  assert.throws(() => addBridge(socket, { name: 'br0' }), { name: 'SystemError', code: 'EEXIST' });
  assert.throws(
    () => addVxlan(socket, { name: 'vx0', vni: 2 ** 24, local: ip('10.0.0.1'), port: 4789, proxyArp: true }),
    (error) =>
      error instanceof NetlinkError &&
      error.code === 'ERANGE' &&
      /add link vx0/.test(error.message) &&
      error.detail !== '',
  );
});

test('a veth pair is born across two namespaces and carries routes', () => {
  using namespaces = new Namespaces();
  const paths = { host: namespaces.add('host'), inner: namespaces.add('inner') };
  using host = openIn(paths.host);
  using inner = openIn(paths.inner);
  addBridge(host, { name: 'br0', up: true });
  const bridge = link(host, 'br0');
  const netnsFd = openSync(paths.inner, 'r');
  try {
    addVethPair(
      host,
      { name: 'v0', master: bridge.index, mtu: 1400, up: true, macAddress: mac('02:42:00:00:00:03') },
      { name: 'eth0', netnsFd, mtu: 1400, macAddress: mac('02:42:0a:00:00:02') },
    );
  } finally {
    closeSync(netnsFd);
  }
  const outside = link(host, 'v0');
  const inside = link(inner, 'eth0');
  assert.equal(outside.master, bridge.index);
  changeLink(inner, inside.index, { up: true });
  assert.equal(link(inner, 'eth0').up, true);
  assert.deepEqual([inside.kind, inside.up, inside.mtu, inside.macAddress], ['veth', false, 1400, '02:42:0a:00:00:02']);
  changeBridgePort(host, outside.index, { hairpin: true, isolated: true, learning: true });
  changeBridgePort(host, outside.index, { disabled: true });

  setAddress(inner, { index: inside.index, address: ip('10.0.0.2'), prefixLength: 24 });
  setAddress(inner, { index: inside.index, address: ip('10.0.0.2'), prefixLength: 24 });
  setAddress(inner, { index: inside.index, address: ip('fd00::2'), prefixLength: 64 });
  setRoute(inner, { destination: prefix('0.0.0.0/0'), gateway: ip('10.0.0.1'), index: inside.index });
  setRoute(inner, { destination: prefix('0.0.0.0/0'), gateway: ip('10.0.0.9'), index: inside.index });
  setRoute(inner, { destination: prefix('fd01::/64'), gateway: ip('fd00::1'), index: 0, metric: 7 });
  const addresses = listAddresses(inner).filter(({ index }) => index === inside.index);
  const texts = addresses.map(({ address, prefixLength }) => `${formatAddress(address)}/${String(prefixLength)}`);
  assert.ok(texts.includes('10.0.0.2/24') && texts.includes('fd00::2/64'), texts.join(' '));
  const routes = listRoutes(inner).map(
    ({ destination, gateway }) =>
      `${formatPrefix(destination)} via ${gateway === undefined ? '-' : formatAddress(gateway)}`,
  );
  assert.ok(routes.includes('0.0.0.0/0 via 10.0.0.9') && !routes.includes('0.0.0.0/0 via 10.0.0.1'), routes.join('\n'));
  assert.ok(routes.includes('10.0.0.0/24 via -') && routes.includes('fd01::/64 via fd00::1'), routes.join('\n'));

  const route = { destination: prefix('0.0.0.0/0'), gateway: ip('10.0.0.9'), index: inside.index };
  assert.deepEqual([removeRoute(inner, route), removeRoute(inner, route)], [true, false]);
  const address = { index: inside.index, address: ip('10.0.0.2'), prefixLength: 24 };
  assert.deepEqual([removeAddress(inner, address), removeAddress(inner, address)], [true, false]);
  removeLink(host, outside.index);
  assert.equal(findLink(inner, 'eth0'), undefined);
});

test('a link moves to another namespace', () => {
  using namespaces = new Namespaces();
  const paths = { host: namespaces.add('host'), inner: namespaces.add('inner') };
  using host = openIn(paths.host);
  using inner = openIn(paths.inner);
  addVethPair(host, { name: 'v0' }, { name: 'v1' });
  const netnsFd = openSync(paths.inner, 'r');
  changeLink(host, link(host, 'v1').index, { netnsFd });
  closeSync(netnsFd);
  assert.equal(findLink(host, 'v1'), undefined);
  assert.equal(link(inner, 'v1').kind, 'veth');
});

test('a tunnel end is told its neighbours and where their frames go', () => {
  using namespaces = new Namespaces();
  using socket = openIn(namespaces.add('host'));
  addVxlan(socket, { name: 'vx0', vni: 4097, local: ip('192.0.2.1'), port: 4789, proxyArp: true, mtu: 1450, up: true });
  const { index, kind } = link(socket, 'vx0');
  assert.equal(kind, 'vxlan');
  const macAddress = mac('02:42:0a:00:00:05');
  const neighbour = { index, address: ip('10.0.0.5'), macAddress };
  const entry = { index, macAddress, destination: ip('192.0.2.2') };
  setNeighbour(socket, neighbour);
  setForwarding(socket, entry);
  setForwarding(socket, entry);
  assert.deepEqual(
    listNeighbours(socket, index).map(({ address }) => formatAddress(address)),
    ['10.0.0.5'],
  );
  const to = listForwarding(socket, index).get('02:42:0a:00:00:05');
  assert.equal(to && formatAddress(to), '192.0.2.2');
  assert.deepEqual([removeNeighbour(socket, neighbour), removeNeighbour(socket, neighbour)], [true, false]);
  assert.deepEqual([removeForwarding(socket, entry), removeForwarding(socket, entry)], [true, false]);
});

function openIn(path: string): NetlinkSocket {
  return inNetns(path, () => openRouteSocket());
}

function link(socket: NetlinkSocket, name: string): Link {
  const found = findLink(socket, name);
  assert.ok(found, name);
  return found;
}

function mac(text: string): Uint8Array {
  const bytes = parseMacAddress(text);
  assert.ok(bytes);
  return bytes;
}

function ip(text: string): IpAddress {
  const address = parseAddress(text);
  assert.ok(address);
  return address;
}

function prefix(text: string): NonNullable<ReturnType<typeof parsePrefix>> {
  const value = parsePrefix(text);
  assert.ok(value);
  return value;
}
