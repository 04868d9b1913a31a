import assert from 'node:assert/strict';
import { test } from 'node:test';

import { meansPublished, parsePublished } from './published-port.ts';

test('parsePublished() reads what -p takes', () => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['80', '80/tcp', '', ''],
    ['8080:80', '80/tcp', '', '8080'],
    ['8080-8090:80/udp', '80/udp', '', '8080-8090'],
    ['127.0.0.1:8080:80', '80/tcp', '127.0.0.1', '8080'],
    ['127.0.0.1::80', '80/tcp', '127.0.0.1', ''],
    ['[::1]:8080:80', '80/tcp', '::1', '8080'],
  ];
  for (const [text, port, HostIp, HostPort] of rows) assert.deepEqual(parsePublished(text), { port, HostIp, HostPort });
  for (const bad of ['', 'web', '80/icmp', '1:2:3:4', 'host:80:80', ':'])
    assert.throws(() => parsePublished(bad), { reason: 'InvalidArgument' }, bad);
});

test('meansPublished() takes a port with all its bindings, or one', () => {
  const binding = { port: '80/tcp', HostIp: '127.0.0.1', HostPort: '8080' };
  for (const text of ['80', '8080:80', '127.0.0.1:8080:80', '127.0.0.1::80']) assert.ok(meansPublished(text, binding));
  for (const text of ['81', '80/udp', '8081:80', '127.0.0.2:8080:80']) assert.ok(!meansPublished(text, binding));
});
