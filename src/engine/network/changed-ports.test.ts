import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changedPorts } from './changed-ports.ts';
import type { PortRequest, PublishedPort } from './networks.ts';

function wish(containerPort: number, hostPort = 0, hostIp = '', hostPortEnd = hostPort): PortRequest {
  return { containerPort, protocol: 'tcp', hostIp, hostPort, hostPortEnd };
}

function both(containerPort: number, hostPort: number): readonly PublishedPort[] {
  return ['0.0.0.0', '::'].map((hostIp) => ({ containerPort, protocol: 'tcp', hostIp, hostPort }));
}

test('changedPorts() leaves what stays, wherever it stands', () => {
  const ports = [...both(80, 8080), ...both(81, 8081)];
  assert.deepEqual(changedPorts([wish(80, 8080), wish(81, 8081)], ports, [wish(81, 8081), wish(80, 8080)]), {
    added: [],
    dropped: [],
  });
});

test('changedPorts() drops all addresses of a port that goes, and names the new ones', () => {
  const ports = [...both(80, 8080), ...both(81, 8081)];
  const { added, dropped } = changedPorts([wish(80, 8080), wish(81, 8081)], ports, [wish(81, 8081), wish(82)]);
  assert.deepEqual(added, [wish(82)]);
  assert.deepEqual(dropped, both(80, 8080));
});

test('changedPorts() tells chosen ports from fixed ones of the same container port', () => {
  const before = [wish(80), wish(80, 8080), wish(80, 9000, '127.0.0.1', 9010)];
  const local: PublishedPort = { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 9003 };
  const ports = [...both(80, 40_000), ...both(80, 8080), local];
  assert.deepEqual(changedPorts(before, ports, [before[0] ?? wish(0)]).dropped, [...both(80, 8080), local]);
  assert.deepEqual(changedPorts(before, ports, before.slice(1)).dropped, both(80, 40_000));
  assert.deepEqual(changedPorts(before, ports, []).dropped, ports);
});
