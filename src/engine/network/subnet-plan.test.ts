import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { formatPrefix, parsePrefix, prefixesOverlap, type IpPrefix } from '#formats/ip-prefix.ts';

import { chooseSubnet, defaultAddressPools, planSubnets } from './subnet-plan.ts';

const nothing = { own: [], host: [] };

test("Docker's pools give 31 networks and no more", () => {
  const own: IpPrefix[] = [];
  for (let count = 0; count < 31; count += 1) own.push(chooseSubnet(defaultAddressPools, { own, host: [] }));
  const texts = own.map(formatPrefix);
  assert.deepEqual(
    [texts[0], texts[14], texts[15], texts[30]],
    ['172.17.0.0/16', '172.31.0.0/16', '192.168.0.0/20', '192.168.240.0/20'],
  );
  assert.throws(() => chooseSubnet(defaultAddressPools, { own, host: [] }), {
    reason: 'Unavailable',
    message: 'all predefined address pools have been fully subnetted',
  });
});

test('a chosen subnet gives way to what the host uses, however large or small that is', () => {
  const host = ['172.17.0.0/12', '192.168.3.0/24', '192.168.16.9/32'].map(prefix);
  assert.equal(formatPrefix(chooseSubnet(defaultAddressPools, { own: [], host })), '192.168.32.0/20');
});

test('a chosen subnet lies in a pool and overlaps with nothing', () => {
  const block = fc
    .tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.integer({ min: 9, max: 30 }))
    .map(([b, c, length]) => prefix(`10.${String(b)}.${String(c)}.0/${String(length)}`));
  fc.assert(
    fc.property(fc.array(block, { maxLength: 20 }), fc.integer({ min: 10, max: 28 }), (host, size) => {
      const pools = [{ base: '10.0.0.0/8', size }];
      try {
        const chosen = chooseSubnet(pools, { own: [], host });
        assert.equal(chosen.length, size);
        assert.ok(!host.some((other) => prefixesOverlap(other, chosen)));
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('all predefined')) throw error;
      }
    }),
    { numRuns: 200 },
  );
});

test('a subnet as given gets its gateway, range and auxiliary addresses', () => {
  const wanted = [
    { subnet: '10.1.0.0/16', gateway: '10.1.9.9', ipRange: '10.1.4.0/24', auxAddresses: { router: '10.1.4.7' } },
    { subnet: 'FD00:0::/64' },
  ];
  assert.deepEqual(planSubnets({ subnets: wanted, enableIPv6: true }, [], nothing), [
    { subnet: '10.1.0.0/16', gateway: '10.1.9.9', ipRange: '10.1.4.0/24', auxAddresses: { router: '10.1.4.7' } },
    { subnet: 'fd00::/64', gateway: 'fd00::1' },
  ]);
});

test('IPv6 without a subnet gets a unique local one, and a gateway alone the chosen subnet', () => {
  const [ipv4, ipv6] = planSubnets(
    { subnets: [{ gateway: '172.17.0.7' }], enableIPv6: true },
    defaultAddressPools,
    nothing,
  );
  assert.deepEqual(ipv4, { subnet: '172.17.0.0/16', gateway: '172.17.0.7' });
  assert.match(ipv6?.subnet ?? '', /^fd[0-9a-f:]+::\/64$/);
});

test('IPv6 comes from its pools when there are some, and IPv4 from its own', () => {
  const pools = [
    { base: 'fd00:1::/48', size: 64 },
    { base: '10.5.0.0/16', size: 24 },
  ];
  const subnetsOf = (own: readonly IpPrefix[], given = pools): readonly string[] =>
    planSubnets({ enableIPv6: true }, given, { own, host: [] }).map(({ subnet }) => subnet);
  assert.deepEqual(subnetsOf([]), ['10.5.0.0/24', 'fd00:1::/64']);
  assert.deepEqual(subnetsOf([prefix('fd00:1::/64'), prefix('10.5.0.0/24')]), ['10.5.1.0/24', 'fd00:1:0:1::/64']);
  assert.deepEqual(subnetsOf([], pools.slice(0, 1)), ['172.17.0.0/16', 'fd00:1::/64']);
  assert.throws(() => subnetsOf([prefix('fd00:1::/48')]), { reason: 'Unavailable' });
});

test('a network has the families that are switched on', () => {
  const [only6, ...rest] = planSubnets({ enableIPv4: false, enableIPv6: true }, defaultAddressPools, nothing);
  assert.match(only6?.subnet ?? '', /^fd/);
  assert.deepEqual(rest, []);
  const plan = (wanted: Parameters<typeof planSubnets>[0]) => (): unknown => planSubnets(wanted, [], nothing);
  assert.throws(plan({ enableIPv4: false }), { reason: 'InvalidArgument', message: 'IPv4 or IPv6 must be enabled' });
  const subnets = [{ subnet: '10.1.0.0/24' }];
  assert.throws(plan({ subnets, enableIPv4: false, enableIPv6: true }), /IPv4 but IPv4 is off/);
});

test('what does not fit is refused with its name', () => {
  const refused = (
    wanted: NonNullable<Parameters<typeof planSubnets>[0]['subnets']>,
    reason: string,
    enableIPv6 = false,
  ): void => {
    const taken = { own: [prefix('10.9.0.0/16')], host: [prefix('10.8.0.0/16')] };
    assert.throws(
      () => planSubnets({ subnets: wanted, enableIPv6 }, defaultAddressPools, taken),
      { reason },
      JSON.stringify(wanted),
    );
  };
  refused([{ subnet: '10.9.1.0/24' }], 'Forbidden');
  refused([{ subnet: '10.0.0.0/8' }], 'Forbidden');
  refused([{ subnet: 'x' }], 'InvalidArgument');
  refused([{ subnet: '10.1.0.0/31' }], 'InvalidArgument');
  refused([{ subnet: '10.1.0.0/24', gateway: '10.2.0.1' }], 'InvalidArgument');
  refused([{ subnet: '10.1.0.0/24', gateway: 'x' }], 'InvalidArgument');
  refused([{ subnet: '10.1.0.0/24', ipRange: '10.1.0.0/23' }], 'InvalidArgument');
  refused([{ subnet: '10.1.0.0/24', ipRange: 'x' }], 'InvalidArgument');
  refused([{ subnet: '10.1.0.0/24', auxAddresses: { a: '10.2.0.1' } }], 'InvalidArgument');
  refused([{ subnet: 'fd00::/64' }], 'InvalidArgument');
  refused([{ subnet: '10.1.0.0/24' }, { subnet: '10.2.0.0/24' }], 'NotSupported');
  assert.equal(
    planSubnets({ subnets: [{ subnet: '10.8.1.0/24' }] }, [], { own: [], host: [prefix('10.8.0.0/16')] }).length,
    1,
  );
});

function prefix(text: string): IpPrefix {
  const value = parsePrefix(text);
  assert.ok(value, text);
  return value;
}
