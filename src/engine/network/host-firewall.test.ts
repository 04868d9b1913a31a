import assert from 'node:assert/strict';
import { test } from 'node:test';

import { droppingChains } from './host-firewall.ts';

const forward = { family: 'ip', table: 'filter', name: 'FORWARD', type: 'filter', hook: 'forward', policy: 'drop' };

test('chains that drop what they do not know are found in every family of IP', () => {
  const chains = [
    forward,
    { ...forward, family: 'inet', table: 'firewall', name: 'forward' },
    { ...forward, family: 'bridge' },
    { ...forward, hook: 'input', name: 'INPUT' },
    { ...forward, table: 'open', policy: 'accept' },
    { ...forward, table: 'slipway' },
    { family: 'ip', table: 'filter', name: 'ufw-user-forward' },
  ].map((chain) => ({ chain }));
  assert.deepEqual(droppingChains([{ metainfo: {} }, ...chains], 'slipway'), [
    { family: 'ip', table: 'filter', chain: 'FORWARD' },
    { family: 'inet', table: 'firewall', chain: 'forward' },
  ]);
});

test("Docker's own place for others is used where there is one", () => {
  const user = { family: 'ip', table: 'filter', name: 'DOCKER-USER' };
  const chains = [forward, { ...forward, family: 'ip6' }, user].map((chain) => ({ chain }));
  assert.deepEqual(
    droppingChains(chains, 'slipway').map(({ family, chain }) => `${family} ${chain}`),
    ['ip DOCKER-USER', 'ip6 FORWARD'],
  );
});
