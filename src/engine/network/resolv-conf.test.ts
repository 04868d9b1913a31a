import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import {
  formatResolvConf,
  onlyLoopback,
  overrideDns,
  parseResolvConf,
  reachableServers,
  withNdots,
} from './resolv-conf.ts';

test('resolv.conf is read as resolv.conf(5) says', () => {
  const text = `# comment
nameserver 192.0.2.1 ; trailing
nameserver\tfe80::1%eth0
nameserver not-an-address
domain old.example
search a.example  b.example
options ndots:2 rotate
options timeout:1
sortlist 192.0.2.0
`;
  assert.deepEqual(parseResolvConf(text), {
    servers: ['192.0.2.1', 'fe80::1%eth0'],
    search: ['a.example', 'b.example'],
    options: ['ndots:2', 'rotate', 'timeout:1'],
  });
});

test('settings survive being written and read', () => {
  const word = fc.stringMatching(/^[a-z][a-z.:]{0,9}$/);
  const settings = fc.record(
    { servers: fc.array(fc.ipV4()), search: fc.array(word), options: fc.array(word) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(settings, (given) => assert.deepEqual(parseResolvConf(formatResolvConf(given)), given)),
    { numRuns: 100 },
  );
});

test('what the container says replaces what the host says, list by list', () => {
  const host = { servers: ['192.0.2.1'], search: ['host.example'], options: ['rotate'] };
  const nothing = { servers: [], search: [], options: [] };
  assert.deepEqual(overrideDns(host, nothing), host);
  assert.deepEqual(overrideDns(host, { servers: ['10.0.0.1'], search: ['.'], options: [] }), {
    servers: ['10.0.0.1'],
    search: [],
    options: ['rotate'],
  });
});

test('servers on loopback are told apart', () => {
  assert.deepEqual(reachableServers(['127.0.0.53', '192.0.2.1', '::1', 'fd00::1']), ['192.0.2.1', 'fd00::1']);
  assert.deepEqual([onlyLoopback(['127.0.0.53']), onlyLoopback(['192.0.2.1']), onlyLoopback([])], [true, false, false]);
});

test('ndots is 0 unless said otherwise', () => {
  assert.deepEqual(withNdots(['rotate']), ['rotate', 'ndots:0']);
  assert.deepEqual(withNdots(['ndots:5']), ['ndots:5']);
});
