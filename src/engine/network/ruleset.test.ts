import assert from 'node:assert/strict';
import { test } from 'node:test';

import { networkElements, rulesetText, setChanges } from './ruleset.ts';
import type { NetworkDefinition } from './network-definition.ts';

test('a network is a handful of elements', () => {
  const network = networkDefinition({
    bridgeName: 'sb-1',
    enableIPv6: true,
    subnets: [
      { subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
      { subnet: 'fd00::/64', gateway: 'fd00::1' },
    ],
  });
  assert.deepEqual(elementsOf(networkElements(network)), [
    'bridges sb-1',
    'siblings sb-1 sb-1',
    'homes sb-1 10.0.0.0/24',
    'masqueraded 10.0.0.0/24',
    'homes6 sb-1 fd00::/64',
    'masqueraded6 fd00::/64',
  ]);
  assert.deepEqual(networkElements({ ...network, driver: 'host' }), []);
});

test('an internal network is not masqueraded, one without icc has strangers, one may keep its addresses', () => {
  const internal = elementsOf(networkElements(networkDefinition({ internal: true })));
  assert.ok(internal.includes('internal sb-0') && !internal.some((text) => text.startsWith('masqueraded')));
  const options = {
    'com.docker.network.bridge.enable_icc': 'false',
    'com.docker.network.bridge.enable_ip_masquerade': 'false',
  };
  const strict = elementsOf(networkElements(networkDefinition({ options })));
  assert.ok(strict.includes('strangers sb-0 sb-0') && !strict.some((text) => /^(siblings|masqueraded)/.test(text)));
});

test('gateway modes and a source address change what is masqueraded and what is let in', () => {
  const subnets = [
    { subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
    { subnet: 'fd00::/64', gateway: 'fd00::1' },
  ];
  const options = {
    'com.docker.network.bridge.gateway_mode_ipv4': 'nat-unprotected',
    'com.docker.network.bridge.gateway_mode_ipv6': 'routed',
    'com.docker.network.host_ipv4': '198.51.100.9',
  };
  assert.deepEqual(elementsOf(networkElements(networkDefinition({ subnets, options }))).slice(2), [
    'homes sb-0 10.0.0.0/24',
    'unprotected sb-0',
    'sources 10.0.0.0/24 : 198.51.100.9',
    'homes6 sb-0 fd00::/64',
    'routed6 sb-0',
  ]);
});

test('elements of one set are one change, each once', () => {
  const elements = [
    { set: 'bridges', key: ['a'] },
    { set: 'internal', key: ['b'] },
    { set: 'bridges', key: ['b'] },
    { set: 'bridges', key: ['a'] },
  ] as const;
  assert.deepEqual(
    setChanges(elements).map(({ set, elements: some }) => [set, some.map(({ key }) => key[0])]),
    [
      ['bridges', ['a', 'b']],
      ['internal', ['b']],
    ],
  );
});

test('with the firewall of the host respected, only containers and the host itself are redirected', () => {
  const entry = (respects: boolean): string | undefined =>
    /chain prerouting \{[^}]*?\n *(.* jump to_container)/.exec(rulesetText('t', respects))?.[1];
  assert.deepEqual(
    [entry(false), entry(true)],
    ['fib daddr type local jump to_container', 'iifname @bridges fib daddr type local jump to_container'],
  );
});

test('the table declares every set that its chains name', () => {
  const text = rulesetText('t', false);
  const declared = Array.from(text.matchAll(/^(?:set|map) (\w+) /gm), ([, name]) => name);
  const named = Array.from(text.matchAll(/@(\w+)/g), ([, name]) => name);
  assert.deepEqual(new Set(named), new Set(declared));
});

function elementsOf(elements: ReturnType<typeof networkElements>): readonly string[] {
  return elements.map(({ set, key, data }) => [set, ...key, ...(data === undefined ? [] : [':', ...data])].join(' '));
}

function networkDefinition(change: Partial<NetworkDefinition>): NetworkDefinition {
  return {
    id: 'a'.repeat(64),
    name: 'test',
    driver: 'bridge',
    createdAtMs: 0,
    subnets: [{ subnet: '10.0.0.0/24', gateway: '10.0.0.1' }],
    internal: false,
    enableIPv6: false,
    labels: {},
    options: {},
    bridgeName: 'sb-0',
    ...change,
  };
}
