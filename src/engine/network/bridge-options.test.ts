import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseBridgeOptions } from './bridge-options.ts';

test('options have their defaults and are read', () => {
  assert.deepEqual(parseBridgeOptions({}), {
    bridgeName: undefined,
    icc: true,
    masquerade: true,
    mtu: undefined,
    names: true,
    hostBindingIp: '',
    gatewayMode4: 'nat',
    gatewayMode6: 'nat',
    inhibitIpv4: false,
    trustedInterfaces: [],
    sourceIpv4: '',
    sourceIpv6: '',
    interfacePrefix: 'eth',
  });
  const options = {
    'com.docker.network.bridge.name': 'lab0',
    'com.docker.network.bridge.enable_icc': 'False',
    'com.docker.network.bridge.enable_ip_masquerade': '0',
    'com.docker.network.driver.mtu': '1400',
    'com.slipway.network.names': 'false',
    'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
    'com.docker.network.bridge.gateway_mode_ipv4': 'routed',
    'com.docker.network.bridge.gateway_mode_ipv6': 'isolated',
    'com.docker.network.bridge.inhibit_ipv4': 'true',
    'com.docker.network.bridge.trusted_host_interfaces': 'eth1:vxlan.1',
    'com.docker.network.host_ipv4': '198.51.100.7',
    'com.docker.network.host_ipv6': 'fd00::7',
    'com.docker.network.container_iface_prefix': 'net',
  };
  assert.deepEqual(parseBridgeOptions(options), {
    bridgeName: 'lab0',
    icc: false,
    masquerade: false,
    mtu: 1400,
    names: false,
    hostBindingIp: '127.0.0.1',
    gatewayMode4: 'routed',
    gatewayMode6: 'isolated',
    inhibitIpv4: true,
    trustedInterfaces: ['eth1', 'vxlan.1'],
    sourceIpv4: '198.51.100.7',
    sourceIpv6: 'fd00::7',
    interfacePrefix: 'net',
  });
  assert.equal(parseBridgeOptions({ 'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0' }).hostBindingIp, '');
  assert.equal(parseBridgeOptions({ 'com.docker.network.bridge.host_binding_ipv4': '::1' }).hostBindingIp, '::1');
  assert.equal(parseBridgeOptions({ 'com.docker.network.driver.mtu': '0' }).mtu, undefined);
});

test('an unknown option and a senseless value are refused with their names', () => {
  const wrong = {
    'com.docker.network.bridge.name': ['a name', '', 'x'.repeat(16), 'a/b', '-a'],
    'com.docker.network.bridge.enable_icc': ['yes', ''],
    'com.docker.network.driver.mtu': ['67', '65536', '1e3', '-1', ''],
    'com.docker.network.bridge.host_binding_ipv4': ['localhost', ''],
    'com.docker.network.bridge.gateway_mode_ipv6': ['NAT', '', 'none'],
    'com.docker.network.bridge.trusted_host_interfaces': ['eth0 eth1', ''],
    'com.docker.network.host_ipv4': ['fd00::1'],
    'com.docker.network.host_ipv6': ['10.0.0.1'],
    'com.docker.network.container_iface_prefix': ['0eth', '', 'thirteen-long'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(
        () => parseBridgeOptions({ [name]: value }),
        (error: Error & { reason?: string }) => {
          assert.ok(error.message.includes(name));
          return error.reason === 'InvalidArgument';
        },
      );
    }
  }
  for (const name of ['com.docker.network.bridge.default_bridge', 'toString', '__proto__x']) {
    assert.throws(() => parseBridgeOptions({ [name]: 'true' }), {
      reason: 'NotSupported',
      message: new RegExp(`"${name}"`),
    });
  }
});
