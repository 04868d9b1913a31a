import assert from 'node:assert/strict';
import { test } from 'node:test';

import { capabilitiesOf, capabilityNames, resolveCapabilities } from './capabilities.ts';

const all = new Set<string>(capabilityNames);
const nothing = { privileged: false, capAdd: [], capDrop: [] };
const defaults = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SYS_CHROOT',
  'CAP_MKNOD',
  'CAP_AUDIT_WRITE',
  'CAP_SETFCAP',
];

test("without a word a container has Docker's fourteen", () => {
  assert.deepEqual(resolveCapabilities(nothing, all), defaults);
  assert.deepEqual([...capabilitiesOf(0xa80425fbn)], defaults);
});

test('names are added and dropped, in any spelling', () => {
  const added = resolveCapabilities({ ...nothing, capAdd: ['net_admin', 'CAP_SYS_TIME'], capDrop: ['MKNOD'] }, all);
  assert.ok(added.includes('CAP_NET_ADMIN') && added.includes('CAP_SYS_TIME') && !added.includes('CAP_MKNOD'));
  assert.deepEqual(resolveCapabilities({ ...nothing, capDrop: ['all'], capAdd: ['chown'] }, all), ['CAP_CHOWN']);
  assert.deepEqual(resolveCapabilities({ ...nothing, capAdd: ['ALL'], capDrop: ['chown'] }, all).length, all.size - 1);
  assert.deepEqual(resolveCapabilities({ ...nothing, privileged: true, capDrop: ['ALL'] }, all).length, all.size);
});

test('what the daemon has not got it cannot give', () => {
  const few = new Set(['CAP_CHOWN', 'CAP_KILL']);
  assert.deepEqual(resolveCapabilities(nothing, few), ['CAP_CHOWN', 'CAP_KILL']);
  assert.deepEqual(resolveCapabilities({ ...nothing, privileged: true }, few), ['CAP_CHOWN', 'CAP_KILL']);
  assert.throws(() => resolveCapabilities({ ...nothing, capAdd: ['SYS_RESOURCE'] }, few), {
    reason: 'InvalidArgument',
    message: /CAP_SYS_RESOURCE: the daemon itself runs without it/,
  });
});

test('unknown names are refused', () => {
  for (const name of ['', 'CAP_', 'FLY', '../etc'])
    assert.throws(() => resolveCapabilities({ ...nothing, capAdd: [name] }, all), { reason: 'InvalidArgument' });
  assert.throws(() => resolveCapabilities({ ...nothing, capDrop: ['FLY'] }, all), /CapDrop: unknown capability: "FLY"/);
});
