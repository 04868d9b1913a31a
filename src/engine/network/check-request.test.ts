import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkRequest } from './check-request.ts';
import { NetworkState } from './network-state.ts';
import type { PortRequest, SandboxRequest } from './networks.ts';

const state = new NetworkState();
for (const [digit, name] of [
  ['a', 'bridge'],
  ['b', 'boards'],
  ['c', 'host'],
] as const) {
  state.definitions.set(digit.repeat(64), {
    id: digit.repeat(64),
    name,
    driver: name === 'host' ? 'host' : 'bridge',
    createdAtMs: 0,
    subnets: [{ subnet: `10.${String(digit.charCodeAt(0))}.0.0/16`, gateway: `10.${String(digit.charCodeAt(0))}.0.1` }],
    internal: false,
    enableIPv6: false,
    labels: {},
    options: {},
    bridgeName: `sb-${digit}`,
  });
}

test('a sensible request passes', () => {
  checkRequest(request({}), state);
  const endpoints = [{ network: 'bridge' }, { network: 'boards', ipv4Address: '10.98.0.9', aliases: ['x'] }];
  const ports = [port({}), port({ hostIp: '::1', hostPort: 80, hostPortEnd: 90 }), port({ protocol: 'udp' })];
  checkRequest(request({ endpoints, ports, extraHosts: ['a:host-gateway'] }), state);
});

test('what cannot be fulfilled is refused before anything is done', () => {
  const refused = (change: Partial<SandboxRequest>, reason: string): void => {
    assert.throws(() => checkRequest(request(change), state), { reason }, JSON.stringify(change));
  };
  refused({ endpoints: [{ network: 'missing' }] }, 'NotFound');
  refused({ endpoints: [{ network: 'host' }] }, 'Forbidden');
  refused({ endpoints: [{ network: 'boards' }, { network: 'b'.repeat(64) }] }, 'InvalidArgument');
  refused({ endpoints: [{ network: 'boards', ipv4Address: '10.1.0.9' }] }, 'InvalidArgument');
  refused({ endpoints: [{ network: 'boards', macAddress: 'x' }] }, 'InvalidArgument');
  refused({ extraHosts: ['nonsense'] }, 'InvalidArgument');
  refused({ dns: { servers: ['dns.example'], search: [], options: [] } }, 'InvalidArgument');
  refused({ ports: [port({ containerPort: 0 })] }, 'InvalidArgument');
  refused({ ports: [port({ containerPort: 65_536 })] }, 'InvalidArgument');
  refused({ ports: [port({ hostPort: -1 })] }, 'InvalidArgument');
  refused({ ports: [port({ hostPort: 1.5 })] }, 'InvalidArgument');
  refused({ ports: [port({ hostIp: 'localhost' })] }, 'InvalidArgument');
});

test('an ID that is none never becomes a path', () => {
  assert.throws(() => checkRequest(request({ containerId: '../x' }), state), /is no container ID/);
});

function request(change: Partial<SandboxRequest>): SandboxRequest {
  return {
    containerId: 'c'.repeat(64),
    containerName: 'web',
    hostname: 'web',
    domainname: '',
    mode: 'networks',
    endpoints: [],
    ports: [],
    dns: { servers: [], search: [], options: [] },
    extraHosts: [],
    ...change,
  };
}

function port(change: Partial<PortRequest>): PortRequest {
  return { containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 0, hostPortEnd: 0, ...change };
}
