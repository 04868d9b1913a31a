import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Endpoint, PublishedPort } from '#engine/network/networks.ts';
import type { Container } from '#engine/runtime/container.ts';

import { exposureReport } from './exposure.ts';

const settings = { respectHostFirewall: false, dockerSocket: '/d', controlSocket: '/c' };
const web: Omit<PublishedPort, 'hostIp'> = { containerPort: 80, protocol: 'tcp', hostPort: 8080 };

test('ports of running containers are shown with the address that they lead to', () => {
  const { ports } = report([
    container('dual', { ipv6Address: 'fd00::2', ipv6Gateway: 'fd00::1' }, ['0.0.0.0', '::']),
    container('old', {}, ['::']),
    { ...container('stopped', {}, ['0.0.0.0']), state: { pid: 0 } } as Container,
  ]);
  assert.deepEqual(
    ports.map((port) => `${port.container} ${port.hostIp} ${port.containerAddress} ${String(port.isRelayed)}`),
    ['dual 0.0.0.0 10.0.0.2 false', 'dual :: fd00::2 false', 'old :: 10.0.0.2 true'],
  );
  assert.deepEqual([ports[0]?.network, ports[0]?.trustedInterfaces], ['sea', ['eth1']]);
});

test('containers in the network of the host are named with their process', () => {
  const onHost = { ...container('agent', {}, []), spec: { network: { mode: 'host' } } } as unknown as Container;
  assert.deepEqual(report([onHost]).hostNetwork, [{ container: 'agent', pid: 7 }]);
});

function report(containers: readonly Container[]): ReturnType<typeof exposureReport> {
  const options = { 'com.docker.network.bridge.trusted_host_interfaces': 'eth1' };
  const engine = { containers: { list: () => containers }, networks: { find: () => ({ driver: 'bridge', options }) } };
  return exposureReport(engine as never, settings);
}

function container(name: string, change: Partial<Endpoint>, hostIps: readonly string[]): Container {
  const usual = {
    networkName: 'sea',
    gatewayPriority: 0,
    ipv4Address: '10.0.0.2',
    ipv4Gateway: '10.0.0.1',
    ipv6Gateway: '',
  };
  const ports = hostIps.map((hostIp) => ({ ...web, hostIp }));
  const sandbox = { ports, endpoints: [{ ...usual, ...change }] };
  return { name, state: { pid: 7 }, spec: { network: { mode: 'networks' } }, sandbox } as unknown as Container;
}
