import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooseInterfaceName, gatewaysOf, namesOf, planEndpoint } from './endpoint-plan.ts';
import type { NetworkDefinition } from './network-definition.ts';
import type { Endpoint } from './networks.ts';

const network: NetworkDefinition = {
  id: 'b'.repeat(64),
  name: 'boards',
  driver: 'bridge',
  createdAtMs: 0,
  subnets: [
    { subnet: '172.16.0.0/16', gateway: '172.16.0.1' },
    { subnet: 'fd00::/64', gateway: 'fd00::1' },
  ],
  internal: false,
  enableIPv6: true,
  labels: {},
  options: {},
  bridgeName: 'sb-0',
};
const owner = { containerId: 'c'.repeat(64), containerName: 'web', hostname: 'inside' };

test('an endpoint gets addresses, a MAC address that follows from them, and names', () => {
  const { endpointId, ...endpoint } = planEndpoint(
    network,
    { network: 'boards', aliases: ['db', 'web'] },
    owner,
    'eth0',
    new Set(),
  );
  assert.match(endpointId, /^[0-9a-f]{64}$/);
  assert.deepEqual(endpoint, {
    containerId: owner.containerId,
    containerName: 'web',
    networkId: network.id,
    networkName: 'boards',
    interfaceName: 'eth0',
    macAddress: '02:42:ac:10:00:02',
    ipv4Address: '172.16.0.2',
    ipv4PrefixLength: 16,
    ipv4Gateway: '172.16.0.1',
    ipv6Address: 'fd00::2',
    ipv6PrefixLength: 64,
    ipv6Gateway: 'fd00::1',
    linkLocalAddresses: [],
    gatewayPriority: 0,
    links: [],
    driverOptions: {},
    aliases: ['db', 'web'],
    dnsNames: ['web', 'db', 'cccccccccccc', 'inside'],
  });
});

test('wishes are honoured', () => {
  const wanted = {
    network: 'boards',
    ipv4Address: '172.16.0.21',
    ipv6Address: 'fd00::21',
    macAddress: '0A:00:00:00:00:01',
  };
  const endpoint = planEndpoint(network, wanted, owner, 'eth3', new Set());
  assert.deepEqual(
    [endpoint.ipv4Address, endpoint.ipv6Address, endpoint.macAddress, endpoint.interfaceName],
    ['172.16.0.21', 'fd00::21', '0a:00:00:00:00:01', 'eth3'],
  );
});

test('a network without IPv4 has IPv6 alone, and a MAC address by chance', () => {
  const only6 = { ...network, subnets: network.subnets.slice(1) };
  const endpoint = planEndpoint(only6, { network: 'boards' }, owner, 'eth0', new Set());
  assert.deepEqual([endpoint.ipv4Address, endpoint.ipv4Gateway, endpoint.ipv4PrefixLength], ['', '', 0]);
  assert.equal(endpoint.ipv6Address, 'fd00::2');
  assert.match(endpoint.macAddress, /^.[26ae](:[0-9a-f]{2}){5}$/);
});

test('the default bridge has no names and no wishes; an internal network no gateway', () => {
  const bridge = { ...network, name: 'bridge' };
  assert.deepEqual(planEndpoint(bridge, { network: 'bridge' }, owner, 'eth0', new Set()).dnsNames, []);
  assert.throws(
    () => planEndpoint(bridge, { network: 'bridge', ipv4Address: '172.16.0.9' }, owner, 'eth0', new Set()),
    {
      reason: 'InvalidArgument',
    },
  );
  const internal = planEndpoint({ ...network, internal: true }, { network: 'boards' }, owner, 'eth0', new Set());
  assert.deepEqual([internal.ipv4Gateway, internal.ipv6Gateway], ['', '']);
});

test('requests that cannot be are refused', () => {
  const refused = (change: object, reason: string, on: NetworkDefinition = network): void => {
    assert.throws(() => planEndpoint(on, { network: 'boards', ...change }, owner, 'eth0', new Set()), { reason });
  };
  refused({ ipv4Address: '10.0.0.1' }, 'InvalidArgument');
  refused({ ipv6Address: '172.16.0.5' }, 'InvalidArgument');
  refused({ ipv6Address: 'fd00::5' }, 'InvalidArgument', { ...network, subnets: network.subnets.slice(0, 1) });
  refused({ macAddress: '01:00:5e:00:00:01' }, 'InvalidArgument');
  refused({ linkLocalAddresses: ['10.0.0.9'] }, 'InvalidArgument');
  refused({ driverOptions: { 'com.docker.network.endpoint.unknown': '1' } }, 'NotSupported');
  refused({}, 'Forbidden', { ...network, driver: 'host', name: 'host' });
});

test('the default route of each family follows priority, then name, among networks that lead out', () => {
  const endpoint = (networkName: string, ipv4Gateway: string, change: Partial<Endpoint> = {}): Endpoint =>
    ({ networkName, ipv4Gateway, ipv6Gateway: '', gatewayPriority: 0, ...change }) as Endpoint;
  const [a, b, c] = [endpoint('a', ''), endpoint('b', '10.0.0.1'), endpoint('c', '10.0.1.1')];
  assert.equal(gatewaysOf([c, b, a]).ipv4, b);
  assert.deepEqual(gatewaysOf([a]), { ipv4: undefined, ipv6: undefined });
  const [first, only6] = [
    endpoint('z', '10.0.2.1', { gatewayPriority: 1 }),
    endpoint('y', '', { ipv6Gateway: 'fd00::1' }),
  ];
  assert.deepEqual(gatewaysOf([c, b, only6, first]), { ipv4: first, ipv6: only6 });
  assert.equal(gatewaysOf([endpoint('a', '10.0.0.1', { gatewayPriority: -1 }), c]).ipv4, c);
});

test('interfaces are called as wished or numbered from the first free one, names are said once', () => {
  const taken = [{ interfaceName: 'eth0' }, { interfaceName: 'eth2' }];
  assert.equal(chooseInterfaceName(taken, undefined, 'eth'), 'eth1');
  assert.equal(chooseInterfaceName(taken, undefined, 'net'), 'net0');
  assert.equal(chooseInterfaceName(taken, 'foo', 'eth'), 'foo');
  assert.throws(() => chooseInterfaceName(taken, 'eth2', 'eth'), { reason: 'Conflict' });
  assert.deepEqual(namesOf({ ...owner, hostname: '' }, []), ['web', 'cccccccccccc']);
});
