import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Endpoint, Network, Subnet } from '#engine/network/networks.ts';

import { networkStatus } from './network-status.ts';

function statusOf(subnets: readonly Subnet[], addresses: readonly string[]): unknown {
  const endpoints = addresses.map((ipv4Address) => ({ ipv4Address, ipv6Address: '' }) as Endpoint);
  const text = JSON.stringify(networkStatus({ subnets, endpoints } as unknown as Network));
  return (JSON.parse(text) as { IPAM: { Subnets: unknown } }).IPAM.Subnets;
}

test('addresses in use are the reserved ones, the gateway, auxiliary ones and those of endpoints', () => {
  const subnet = { subnet: '10.8.0.0/24', gateway: '10.8.0.1', auxAddresses: { router: '10.8.0.9' } };
  assert.deepEqual(statusOf([subnet], ['10.8.0.2', '10.8.0.9', '10.9.0.2']), {
    '10.8.0.0/24': { IPsInUse: 5, DynamicIPsAvailable: 251 },
  });
});

test('what is left is counted in the range that endpoints get addresses from', () => {
  const subnet = { subnet: '10.8.0.0/24', gateway: '10.8.0.1', ipRange: '10.8.0.128/25' };
  assert.deepEqual(statusOf([subnet], ['10.8.0.200', '10.8.0.7']), {
    '10.8.0.0/24': { IPsInUse: 5, DynamicIPsAvailable: 126 },
  });
});

test('large subnets count to the largest integer of 64 bits', () => {
  const subnet = { subnet: 'fd00::/48', gateway: 'fd00::1' };
  const network = { subnets: [subnet], endpoints: [] } as unknown as Network;
  assert.match(JSON.stringify(networkStatus(network)), /"IPsInUse":2,"DynamicIPsAvailable":18446744073709551615/);
});
