import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { NetworkDefinition } from './network-definition.ts';
import { isNetworkDefinition } from './network-definition.ts';
import { NetworkState } from './network-state.ts';
import type { Endpoint, SandboxRequest } from './networks.ts';

test('networks are found by name, ID and unique prefix', () => {
  const state = new NetworkState();
  for (const [id, name] of [
    ['ab1', 'one'],
    ['ab2', 'two'],
    ['c', 'ab'],
  ] as const)
    addNetwork(state, id, name);
  assert.equal(state.get('one').name, 'one');
  assert.equal(state.get('ab1').name, 'one');
  assert.equal(state.get('ab').name, 'ab', 'a name goes before a prefix');
  assert.equal(state.get('ab2000').name, 'two');
  assert.throws(() => state.get('a'), { reason: 'InvalidArgument', message: /ambiguous \(2 matches/ });
  assert.throws(() => state.get('missing'), { reason: 'NotFound', message: 'network missing not found' });
  assert.equal(state.find(''), undefined);
});

test('endpoints and their addresses are those of running sandboxes', () => {
  const state = new NetworkState();
  const one = addNetwork(state, '1', 'one');
  addContainer(state, 'a', [endpoint(one, 'a', '10.0.0.2')]);
  addContainer(state, 'b', [endpoint(one, 'b', '10.0.0.3', 'fd00::3')]);
  assert.deepEqual([...state.usedAddresses(one.id)].filter(Boolean), ['10.0.0.2', '10.0.0.3', 'fd00::3']);
  state.delete('a');
  assert.deepEqual(
    state.endpointsOf(one.id).map(({ containerName }) => containerName),
    ['b'],
  );
});

test('a container sees the names of its own networks, as they are now', () => {
  const state = new NetworkState();
  const [one, two, bridge] = [
    addNetwork(state, '1', 'one'),
    addNetwork(state, '2', 'two'),
    addNetwork(state, '3', 'bridge'),
  ];
  addContainer(state, 'a', [endpoint(one, 'Web', '10.0.0.2', '', ['Web', 'shared'])]);
  addContainer(state, 'b', [
    endpoint(one, 'b', '10.0.0.3', '', ['b', 'shared']),
    endpoint(two, 'b', '10.1.0.3', '', ['b']),
  ]);
  addContainer(state, 'c', [endpoint(two, 'c', '10.1.0.2', 'fd00::2', ['c']), endpoint(bridge, 'c', '172.17.0.2')]);
  const [a, b, c] = [state.zoneFor('a'), state.zoneFor('b'), state.zoneFor('c')];
  assert.deepEqual(b.addresses('web'), ['10.0.0.2']);
  assert.deepEqual(b.addresses('web.one'), ['10.0.0.2']);
  assert.deepEqual(b.addresses('shared'), ['10.0.0.2', '10.0.0.3']);
  assert.deepEqual(b.addresses('c'), ['10.1.0.2', 'fd00::2']);
  assert.equal(a.addresses('c'), undefined);
  assert.equal(c.addresses('web'), undefined);
  assert.equal(b.pointer('10.0.0.2'), 'Web.one');
  assert.equal(c.pointer('172.17.0.2'), undefined);
  state.delete('a');
  assert.deepEqual(b.addresses('shared'), ['10.0.0.3']);
  assert.equal(a.addresses('b'), undefined, 'a container that is gone sees nothing');
});

test('a link is a name that only the container itself knows, before any other', () => {
  const state = new NetworkState();
  const one = addNetwork(state, '1', 'one');
  const links = [
    { name: 'redis', alias: 'DB' },
    { name: 'gone', alias: 'old' },
  ];
  addContainer(state, 'a', [{ ...endpoint(one, 'a', '10.0.0.2', '', ['a']), links }]);
  addContainer(state, 'b', [endpoint(one, 'redis', '10.0.0.3', '', ['redis'])]);
  addContainer(state, 'c', [endpoint(one, 'db', '10.0.0.4', '', ['db', 'old'])]);
  const [a, c] = [state.zoneFor('a'), state.zoneFor('c')];
  assert.deepEqual([a.addresses('db'), a.addresses('redis')], [['10.0.0.3'], ['10.0.0.3']]);
  assert.deepEqual([c.addresses('db'), a.addresses('old')], [['10.0.0.4'], undefined]);
});

test('addresses on the default bridge are found for links of the old kind', () => {
  const state = new NetworkState();
  const [one, bridge] = [addNetwork(state, '1', 'one'), addNetwork(state, '2', 'bridge')];
  addContainer(state, 'a', [endpoint(one, 'a', '10.0.0.2'), endpoint(bridge, 'a', '172.17.0.2', 'fd00::2')]);
  assert.deepEqual(state.defaultAddresses('a'), ['172.17.0.2', 'fd00::2']);
  assert.deepEqual(state.defaultAddresses('b'), []);
});

test('a name that DNS cannot carry has no pointer', () => {
  const state = new NetworkState();
  const network = addNetwork(state, '1', 'a network with blanks');
  addContainer(state, 'a', [endpoint(network, 'a', '10.0.0.2', '', ['a'])]);
  assert.equal(state.zoneFor('a').pointer('10.0.0.2'), undefined);
});

test('definitions are recognised and other values are not', () => {
  const good = addNetwork(new NetworkState(), 'ab', 'one');
  assert.equal(isNetworkDefinition(structuredClone(good)), true);
  const bad: readonly unknown[] = [
    null,
    [],
    {},
    { ...good, id: '../x' },
    { ...good, name: 5 },
    { ...good, driver: 'overlay' },
    { ...good, subnets: [{ subnet: '10.0.0.0/8' }] },
    { ...good, subnets: [{ subnet: '10.0.0.0/8', gateway: '10.0.0.1', auxAddresses: { a: 1 } }] },
    { ...good, labels: { a: 1 } },
    { ...good, internal: 'no' },
  ];
  for (const value of bad) assert.equal(isNetworkDefinition(value), false, JSON.stringify(value));
});

function addNetwork(state: NetworkState, id: string, name: string): NetworkDefinition {
  const network: NetworkDefinition = {
    id: id.padEnd(64, '0'),
    name,
    driver: 'bridge',
    createdAtMs: 0,
    subnets: [{ subnet: '10.0.0.0/24', gateway: '10.0.0.1' }],
    internal: false,
    enableIPv6: false,
    labels: {},
    options: {},
    bridgeName: `sb-${id}`,
  };
  state.definitions.set(network.id, network);
  return network;
}

function addContainer(state: NetworkState, containerId: string, endpoints: readonly Endpoint[]): void {
  const files = { hosts: '', resolvConf: '', hostname: '' };
  const sandbox = { containerId, netnsPath: `/run/${containerId}`, endpoints, ports: [], files };
  state.set({ request: { containerId } as SandboxRequest, sandbox });
}

function endpoint(
  network: NetworkDefinition,
  containerName: string,
  ipv4Address: string,
  ipv6Address = '',
  dnsNames: readonly string[] = [],
): Endpoint {
  const { id: networkId, name: networkName } = network;
  return {
    networkId,
    networkName,
    containerName,
    ipv4Address,
    ipv6Address,
    dnsNames,
    links: [],
  } as unknown as Endpoint;
}
