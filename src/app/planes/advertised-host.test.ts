import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';

import { advertisedHost } from './advertised-host.ts';

const four = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  family: 'IPv4',
  netmask: '',
  mac: '',
  cidr: null,
});
const six = (address: string, scopeid: number): NetworkInterfaceInfo => ({
  ...four(address),
  family: 'IPv6',
  scopeid,
});
const lo = [four('127.0.0.1', true)];

test('who listens on all addresses is reached by the first of the machine', () => {
  const eth0 = [six('fe80::1', 2), four('10.1.2.3'), six('fd00::1', 0)];
  assert.equal(advertisedHost('0.0.0.0', { lo, eth0 }), '10.1.2.3');
  assert.equal(advertisedHost('::', { lo, eth0 }), 'fd00::1');
  assert.equal(advertisedHost('::', { lo, eth0: [four('10.1.2.3')] }), '10.1.2.3');
  assert.equal(advertisedHost('0.0.0.0', { lo }), '127.0.0.1');
});

test('who listens on one address is reached by that', () => {
  assert.equal(advertisedHost('192.0.2.7', { lo }), '192.0.2.7');
  assert.equal(advertisedHost('127.0.0.1', { lo, eth0: [four('10.1.2.3')] }), '127.0.0.1');
});
