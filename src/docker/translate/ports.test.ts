import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { PortRequest } from '#engine/network/networks.ts';
import { parseContainerPorts, portRequests } from './ports.ts';

const port = (containerPort: number, rest: Partial<PortRequest> = {}): PortRequest => ({
  containerPort,
  protocol: 'tcp',
  hostIp: '',
  hostPort: 0,
  hostPortEnd: 0,
  ...rest,
});

describe('published ports', () => {
  const cases: readonly (readonly [string, Parameters<typeof portRequests>, readonly PortRequest[]])[] = [
    ['nothing', [{}, {}, false], []],
    [
      'one port on one',
      [{}, { '80/tcp': [{ HostPort: '8080' }] }, false],
      [port(80, { hostPort: 8080, hostPortEnd: 8080 })],
    ],
    ['tcp is the default', [{}, { '80': [{}] }, false], [port(80)]],
    [
      'an address and udp',
      [{}, { '53/udp': [{ HostIp: '127.0.0.1', HostPort: '53' }] }, false],
      [port(53, { protocol: 'udp', hostIp: '127.0.0.1', hostPort: 53, hostPortEnd: 53 })],
    ],
    [
      'one of a range of host ports',
      [{}, { '80/tcp': [{ HostPort: '8000-8010' }] }, false],
      [port(80, { hostPort: 8000, hostPortEnd: 8010 })],
    ],
    [
      'a range on a range, one to one',
      [{}, { '80-81/tcp': [{ HostPort: '8000-8001' }] }, false],
      [port(80, { hostPort: 8000, hostPortEnd: 8001 }), port(81, { hostPort: 8001, hostPortEnd: 8001 })],
    ],
    [
      'two bindings of one port',
      [{}, { '80/tcp': [{ HostPort: '1' }, { HostPort: '2' }] }, false],
      [port(80, { hostPort: 1, hostPortEnd: 1 }), port(80, { hostPort: 2, hostPortEnd: 2 })],
    ],
    ['an empty list of bindings', [{ '80/tcp': {} }, { '80/tcp': [] }, false], []],
    [
      '-P: what is exposed and not bound',
      [{ '80/tcp': {}, '81/tcp': {}, '53/udp': {} }, { '80/tcp': [{ HostPort: '8080' }] }, true],
      [port(80, { hostPort: 8080, hostPortEnd: 8080 }), port(81), port(53, { protocol: 'udp' })],
    ],
  ];
  for (const [name, input, expected] of cases) {
    test(name, () => assert.deepEqual(portRequests(...input), expected));
  }

  for (const bad of ['', '0', '65536', '80/icmp', '80/tcp/udp', 'x', '5-4', '-5', '80-', '1-2-3']) {
    test(`refuses "${bad}"`, () => assert.throws(() => parseContainerPorts(bad), { reason: 'InvalidArgument' }));
  }

  for (const bad of ['x', '70000', '9-8', ' 80']) {
    test(`refuses the host port "${bad}"`, () =>
      assert.throws(() => portRequests({}, { '80/tcp': [{ HostPort: bad }] }, false), { reason: 'InvalidArgument' }));
  }

  test('a range longer than the one it goes to is refused', () => {
    assert.throws(() => portRequests({}, { '80-83/tcp': [{ HostPort: '8000-8001' }] }, false), {
      reason: 'InvalidArgument',
    });
  });
});
