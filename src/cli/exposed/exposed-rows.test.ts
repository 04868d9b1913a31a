import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ExposedPort, ExposureReport } from '#app/control-protocol.ts';

import { exposedRows, type ExposedWorld, firewallText } from './exposed-rows.ts';

const port: ExposedPort = {
  container: 'web',
  protocol: 'tcp',
  hostIp: '0.0.0.0',
  hostPort: 8080,
  containerPort: 80,
  containerAddress: '172.17.0.2',
  network: 'bridge',
  isRelayed: false,
  trustedInterfaces: [],
};
const refusing: ExposedWorld = { verdict: () => ({ letsIn: false, isSure: true }), sockets: () => [] };

test('a published port is reached from where its address is, past the firewall of the host', () => {
  const rows = shown(refusing, {
    ports: [
      port,
      { ...port, hostIp: '127.0.0.1' },
      { ...port, hostIp: '192.168.1.5' },
      { ...port, hostIp: '::', isRelayed: true },
      { ...port, hostIp: '203.0.113.5', protocol: 'udp' },
    ],
  });
  assert.deepEqual(rows, [
    '0.0.0.0:8080/tcp web 172.17.0.2:80 | anywhere | WOULD REFUSE IT, but is not asked',
    '127.0.0.1:8080/tcp web 172.17.0.2:80 | this machine | -',
    '192.168.1.5:8080/tcp web 172.17.0.2:80 | local networks | WOULD REFUSE IT, but is not asked',
    '[::]:8080/tcp web 172.17.0.2:80 | anywhere | refuses it',
    '203.0.113.5:8080/udp web 172.17.0.2:80 | anywhere | WOULD REFUSE IT, but is not asked',
  ]);
  const [respected] = shown(refusing, { ports: [port], respectHostFirewall: true });
  assert.equal(respected, '0.0.0.0:8080/tcp web 172.17.0.2:80 | anywhere | refuses it');
});

test('routed ports and trusted interfaces are ways in of their own', () => {
  const rows = exposedRows(
    report({
      ports: [
        { ...port, hostPort: 0 },
        { ...port, trustedInterfaces: ['eth1'] },
      ],
    }),
    refusing,
  );
  assert.deepEqual(
    rows.slice(0, 3).map(({ address, rule }) => `${address} ${rule}`),
    [
      '172.17.0.2:80 gateway mode routed of network bridge',
      '0.0.0.0:8080 published, by map of nftables',
      '172.17.0.2:80 network bridge trusts interface eth1',
    ],
  );
});

test('what listens in the network of the host, and the sockets of slipway, are shown too', () => {
  const world: ExposedWorld = {
    verdict: ({ port: wanted }) => (wanted === 53 ? { letsIn: true, isSure: false } : undefined),
    sockets: () => [
      { protocol: 'udp', address: '0.0.0.0', port: 53 },
      { protocol: 'tcp', address: '::', port: 80 },
    ],
  };
  assert.deepEqual(shown(world, { hostNetwork: [{ container: 'dns', pid: 7 }] }), [
    '0.0.0.0:53/udp dns | anywhere | lets it in (perhaps)',
    '[::]:80/tcp dns | anywhere | has no rules',
  ]);
  const sockets = exposedRows(report({}), world).map(({ address, reach }) => `${address} ${reach}`);
  assert.deepEqual(sockets, ['/run/docker.sock this machine', '/run/control.sock this machine']);
});

function shown(world: ExposedWorld, change: Partial<ExposureReport>): readonly string[] {
  return exposedRows(report(change), world)
    .filter(({ protocol }) => protocol !== 'unix')
    .map((row) => `${row.address}/${row.protocol} ${row.target} | ${row.reach} | ${firewallText(row)}`);
}

function report(change: Partial<ExposureReport>): ExposureReport {
  return {
    ports: [],
    hostNetwork: [],
    respectHostFirewall: false,
    dockerSocket: '/run/docker.sock',
    controlSocket: '/run/control.sock',
    ...change,
  };
}
