import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseEndpointOptions } from './endpoint-options.ts';

const [ifname, sysctls] = ['com.docker.network.endpoint.ifname', 'com.docker.network.endpoint.sysctls'];

test('names and kernel parameters of an interface are read', () => {
  const text = 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.neigh.IFNAME.base_reachable_time_ms=3000';
  assert.deepEqual(parseEndpointOptions({ [ifname]: 'lan0', [sysctls]: text }), {
    interfaceName: 'lan0',
    sysctls: [
      { path: 'net/ipv4/conf/IFNAME/log_martians', value: '1' },
      { path: 'net/ipv6/neigh/IFNAME/base_reachable_time_ms', value: '3000' },
    ],
  });
  const small = parseEndpointOptions({ [sysctls]: 'net.ipv4.conf.ifname.log_martians=1' });
  assert.equal(small.sysctls[0]?.path, 'net/ipv4/conf/IFNAME/log_martians');
  assert.deepEqual(parseEndpointOptions({}), { interfaceName: undefined, sysctls: [] });
});

test('parameters of anything else, and names that cannot be, are refused', () => {
  const invalid = [
    'net.ipv4.ip_forward=1',
    'kernel.msgmax=1',
    'net.ipv4.conf.eth0.log_martians=1',
    'net.ipv4.conf.IFNAME.../x=1',
    'net.ipv4.conf.IFNAME.log_martians',
    '',
  ];
  for (const text of invalid)
    assert.throws(() => parseEndpointOptions({ [sysctls]: text }), { reason: 'InvalidArgument' }, text);
  for (const name of ['lo', '', 'a/b', 'sixteen-letters-x'])
    assert.throws(() => parseEndpointOptions({ [ifname]: name }), { reason: 'InvalidArgument' }, name);
  assert.throws(() => parseEndpointOptions({ 'com.example.x': '1' }), { reason: 'NotSupported' });
});
