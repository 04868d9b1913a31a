import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooseAddress, fitsSubnet } from './address-choice.ts';

const subnet = { subnet: '10.0.0.0/29', gateway: '10.0.0.1', auxAddresses: { router: '10.0.0.3' } };

test('addresses are given from below, without the network, the gateway, auxiliary ones and the broadcast', () => {
  const used = new Set<string>();
  for (let count = 0; count < 4; count += 1) used.add(chooseAddress(subnet, undefined, used));
  assert.deepEqual([...used], ['10.0.0.2', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
  assert.throws(() => chooseAddress(subnet, undefined, used), { reason: 'Unavailable', message: /10\.0\.0\.0\/29/ });
  used.delete('10.0.0.4');
  assert.equal(chooseAddress(subnet, '', used), '10.0.0.4');
});

test('a range bounds the choice but not the wish', () => {
  const ranged = { subnet: '10.0.0.0/16', gateway: '10.0.0.1', ipRange: '10.0.7.0/30' };
  assert.equal(chooseAddress(ranged, undefined, new Set()), '10.0.7.0');
  assert.equal(chooseAddress(ranged, '10.0.200.1', new Set()), '10.0.200.1');
});

test('IPv6 addresses are wished for in any spelling', () => {
  const ipv6 = { subnet: 'fd00::/64', gateway: 'fd00::1' };
  assert.equal(chooseAddress(ipv6, undefined, new Set(['fd00::2'])), 'fd00::3');
  assert.equal(chooseAddress(ipv6, 'FD00:0::9', new Set()), 'fd00::9');
  assert.throws(() => chooseAddress(ipv6, 'fd00:0::9', new Set(['fd00::9'])), { reason: 'Conflict' });
});

test('a wish that cannot be is refused', () => {
  assert.throws(() => chooseAddress(subnet, '10.0.0.4', new Set(['10.0.0.4'])), {
    reason: 'Conflict',
    message: 'Address already in use: 10.0.0.4',
  });
  assert.throws(() => chooseAddress(subnet, '10.0.0.1', new Set()), { reason: 'Conflict' });
  for (const wanted of ['10.0.0.0', '10.0.0.7', '10.0.0.8', 'fd00::1', 'x']) {
    assert.throws(() => chooseAddress(subnet, wanted, new Set()), { reason: 'InvalidArgument' }, wanted);
    assert.equal(fitsSubnet(subnet, wanted), false);
  }
  assert.equal(fitsSubnet(undefined, '10.0.0.2'), false);
  assert.equal(fitsSubnet(subnet, '10.0.0.2'), true);
});
