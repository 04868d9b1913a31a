import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { NetworkDefinition } from './network-definition.ts';
import type { Endpoint, PublishedPort } from './networks.ts';
import { placesOf, portElements, publishTarget, type PublishTarget, relayAddress } from './publication.ts';

const prefix = 'com.docker.network.bridge';
const web = { containerPort: 80, protocol: 'tcp' } as const;

test('a port leads to the address of its family, on all or on one address of the host', () => {
  const both = target('a', 'fd00::2');
  assert.deepEqual(elements('0.0.0.0', both), ['published tcp 8080 : 10.0.0.2 80']);
  assert.deepEqual(elements('127.0.0.1', both), ['published_on 127.0.0.1 tcp 8080 : 10.0.0.2 80']);
  assert.deepEqual(elements('::', target('a', '')), [], 'a relay does it');
  assert.deepEqual(elements('::', both), ['published6 tcp 8080 : fd00::2 80']);
  assert.deepEqual(elements('fd01::1', both), ['published6_on fd01::1 tcp 8080 : fd00::2 80']);
});

test('a port that names no address is on all of the host, or where its network or the machine says', () => {
  assert.deepEqual(places('', target('a', 'fd00::2')).held, ['0.0.0.0', '::']);
  assert.deepEqual(places('', target('a', 'fd00::2'), '127.0.0.1').held, ['127.0.0.1']);
  const bound = target('a', '', { [`${prefix}.host_binding_ipv4`]: '10.1.1.1' });
  assert.deepEqual(places('', bound, '127.0.0.1').held, ['10.1.1.1']);
  assert.deepEqual(places('10.2.2.2', bound).held, ['10.2.2.2']);
});

test('a routed network opens ports at the addresses of its containers, and nothing on the host', () => {
  const routed6 = target('a', 'fd00::2', { [`${prefix}.gateway_mode_ipv6`]: 'routed' });
  const direct = { ...web, hostIp: '::', hostPort: 0 };
  assert.deepEqual(places('', routed6), { held: ['0.0.0.0'], direct: [direct] });
  assert.deepEqual(shown(portElements(direct, routed6)), ['direct6 fd00::2 tcp 80']);
  const routed4 = target('a', '', { [`${prefix}.gateway_mode_ipv4`]: 'routed' });
  assert.deepEqual(places('', routed4), { held: [], direct: [{ ...direct, hostIp: '0.0.0.0' }] });
  assert.deepEqual(places('127.0.0.1', routed4).direct, [{ ...direct, hostIp: '0.0.0.0' }], 'only the family counts');
});

test('trusted interfaces reach published ports at the addresses of containers', () => {
  const trusting = target('a', '', { [`${prefix}.trusted_host_interfaces`]: 'eth1:vx.1' });
  assert.deepEqual(elements('127.0.0.1', trusting).slice(1), [
    'trusted eth1 10.0.0.2 tcp 80',
    'trusted vx.1 10.0.0.2 tcp 80',
  ]);
});

test('without a bridge that leads out nothing is published; without IPv4 a relay leads to IPv6', () => {
  const nowhere = publishTarget([endpoint('10.0.0.2', '', '')], () => network({}));
  assert.deepEqual([places('', nowhere), relayAddress(nowhere)], [{ held: [], direct: [] }, undefined]);
  const parent = publishTarget([endpoint('10.0.0.2', '10.0.0.1', '')], () => ({ ...network({}), driver: 'macvlan' }));
  assert.deepEqual(places('', parent), { held: [], direct: [] });
  const only6 = publishTarget([endpoint('', '', 'fd00::2')], () => network({}));
  assert.deepEqual([places('', only6).held, relayAddress(only6)], [['0.0.0.0', '::'], 'fd00::2']);
  assert.deepEqual(elements('0.0.0.0', only6), []);
});

function places(hostIp: string, to: PublishTarget, binding = ''): ReturnType<typeof placesOf> {
  return placesOf({ ...web, hostIp }, to, binding);
}

function elements(hostIp: string, to: PublishTarget): readonly string[] {
  const port: PublishedPort = { ...web, hostIp, hostPort: 8080 };
  return shown(portElements(port, to));
}

function shown(list: ReturnType<typeof portElements>): readonly string[] {
  return list.map(({ set, key, data }) => [set, ...key, ...(data === undefined ? [] : [':', ...data])].join(' '));
}

function target(name: string, ipv6Address: string, options: Readonly<Record<string, string>> = {}): PublishTarget {
  return publishTarget([endpoint('10.0.0.2', '10.0.0.1', ipv6Address)], () => ({ ...network(options), name }));
}

function endpoint(ipv4Address: string, ipv4Gateway: string, ipv6Address: string): Endpoint {
  const ipv6Gateway = ipv6Address === '' ? '' : 'fd00::1';
  return { ipv4Address, ipv4Gateway, ipv6Address, ipv6Gateway, gatewayPriority: 0, networkName: 'a' } as Endpoint;
}

function network(options: Readonly<Record<string, string>>): NetworkDefinition {
  return { driver: 'bridge', options } as NetworkDefinition;
}
