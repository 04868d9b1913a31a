import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineNetwork, missingPredefined } from './define-network.ts';
import type { NewNetwork } from './networks.ts';
import { defaultAddressPools, ownPrefixes } from './subnet-plan.ts';

const nothing = { own: [], host: [] };

test('a network gets an ID, a subnet and a bridge named after the ID', () => {
  const network = define({ name: 'boards', labels: { a: 'b' } });
  assert.match(network.id, /^[0-9a-f]{64}$/);
  assert.equal(network.bridgeName, `sb-${network.id.slice(0, 12)}`);
  assert.deepEqual(network.subnets, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }]);
  assert.deepEqual(
    [network.driver, network.internal, network.enableIPv6, network.labels],
    ['bridge', false, false, { a: 'b' }],
  );
});

test('the networks that are always there are made once', () => {
  const made = missingPredefined([], 'slipway0', defaultAddressPools, nothing);
  assert.deepEqual(
    made.map(({ name, driver, bridgeName, subnets }) => [name, driver, bridgeName, subnets.length]),
    [
      ['bridge', 'bridge', 'slipway0', 1],
      ['host', 'host', '', 0],
      ['none', 'none', '', 0],
    ],
  );
  assert.deepEqual(missingPredefined(made, 'slipway0', defaultAddressPools, nothing), []);
});

test('names, drivers and bridges that cannot be are refused', () => {
  const existing = [
    define({ name: 'old', options: { 'com.docker.network.bridge.name': 'old0' } }),
    define({ name: 'lan', driver: 'macvlan', options: { parent: 'eth0' } }),
  ];
  const refused = (wanted: NewNetwork, reason: string): void => {
    const taken = { own: ownPrefixes(existing), host: [] };
    assert.throws(() => defineNetwork(wanted, existing, defaultAddressPools, taken), { reason }, wanted.name);
  };
  for (const name of ['', ' a', 'a ', 'a/b', '.a', 'a\n', 'a'.repeat(201)]) refused({ name }, 'InvalidArgument');
  for (const name of ['bridge', 'host', 'none', 'default']) refused({ name }, 'Forbidden');
  refused({ name: 'old' }, 'Conflict');
  refused({ name: 'new', driver: 'host' }, 'Forbidden');
  refused({ name: 'new', driver: 'overlay' }, 'NotSupported');
  refused({ name: 'new', driver: 'macvlan' }, 'InvalidArgument');
  refused({ name: 'new', driver: 'ipvlan', options: { parent: 'eth0' } }, 'Conflict');
  const isolated = { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' };
  refused({ name: 'new', options: isolated }, 'InvalidArgument');
  refused({ name: 'new', options: { 'com.docker.network.bridge.name': 'old0' } }, 'Conflict');
});

function define(wanted: NewNetwork): ReturnType<typeof defineNetwork> {
  return defineNetwork(wanted, [], defaultAddressPools, nothing);
}
