import assert from 'node:assert/strict';
import { test } from 'node:test';

import { forwardHook } from '#sys/nft/rules.ts';

import { type ForwardChain, refusingChains } from './host-firewall.ts';

const forward: ForwardChain = {
  family: 'ip',
  table: 'filter',
  chain: 'FORWARD',
  type: 'filter',
  hook: forwardHook,
  policy: 'drop',
  rules: [],
};
const input = 1;

test('chains that refuse what they do not know are found, by policy or by their last rule', () => {
  const last = (refusesAll: boolean): ForwardChain['rules'] => [{ handle: 1n, comment: '', refusesAll }];
  const chains: ForwardChain[] = [
    forward,
    { ...forward, family: 'inet', table: 'firewall', chain: 'forward' },
    { ...forward, family: 'inet', table: 'firewalld', chain: 'filter_FORWARD', policy: 'accept', rules: last(true) },
    { ...forward, hook: input, chain: 'INPUT' },
    { ...forward, table: 'open', policy: 'accept', rules: last(false) },
    { ...forward, chain: 'ufw-user-forward', hook: undefined, policy: undefined },
  ];
  assert.deepEqual(
    refusingChains(chains).map(({ family, table, chain }) => `${family} ${table} ${chain}`),
    ['ip filter FORWARD', 'inet firewall forward', 'inet firewalld filter_FORWARD'],
  );
});

test("Docker's own place for others is used where there is one", () => {
  const user: ForwardChain = { ...forward, chain: 'DOCKER-USER', hook: undefined, policy: undefined };
  assert.deepEqual(
    refusingChains([forward, { ...forward, family: 'ip6' }, user]).map(({ family, chain }) => `${family} ${chain}`),
    ['ip DOCKER-USER', 'ip6 FORWARD'],
  );
});
