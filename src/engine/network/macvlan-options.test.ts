import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseMacvlanOptions } from './macvlan-options.ts';

test('a parent and a mode are read, bridge mode unless it says otherwise', () => {
  assert.deepEqual(parseMacvlanOptions('macvlan', { parent: 'eth0' }), { parent: 'eth0', mode: 4, mtu: undefined });
  const options = { parent: 'eth0.10', macvlan_mode: 'private', 'com.docker.network.driver.mtu': '1400' };
  assert.deepEqual(parseMacvlanOptions('macvlan', options), { parent: 'eth0.10', mode: 1, mtu: 1400 });
  assert.deepEqual(parseMacvlanOptions('ipvlan', { ipvlan_mode: '' }), { parent: '', mode: 0, mtu: undefined });
});

test('modes that are not there, and options of others, are refused by name', () => {
  const refused = (driver: 'macvlan' | 'ipvlan', options: Record<string, string>, message: RegExp): void => {
    assert.throws(() => parseMacvlanOptions(driver, options), { message });
  };
  refused('ipvlan', { ipvlan_mode: 'l3' }, /"ipvlan_mode": its value is "l3"; want one of l2/);
  refused('macvlan', { macvlan_mode: 'toString' }, /want one of private/);
  refused('macvlan', { ipvlan_mode: 'l2' }, /not known/);
  refused('macvlan', { parent: 'a/b' }, /want the name of an interface/);
});
