import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseKernel, parseLimits } from './host-facts.ts';
import { runtimeResources } from './resources.ts';
import { resolveUlimits, ulimitWarnings } from './ulimits.ts';

const v1 = { swapLimits: true, cgroupVersion: 1 as const };
const megabyte = 1024 * 1024;

test('memory may be swapped as much again, unless something is said', () => {
  assert.deepEqual(runtimeResources({}, v1, undefined), {});
  assert.deepEqual(runtimeResources({ memoryBytes: 64 * megabyte }, v1, undefined).memory, {
    limit: 64 * megabyte,
    swap: 128 * megabyte,
  });
  assert.deepEqual(runtimeResources({ memoryBytes: 64 * megabyte, memorySwapBytes: -1 }, v1, undefined).memory, {
    limit: 64 * megabyte,
    swap: -1,
  });
  const noSwap = { swapLimits: false, cgroupVersion: 2 as const };
  assert.deepEqual(
    runtimeResources({ memoryBytes: 64 * megabyte, memorySwappiness: 10, oomKillDisable: true }, noSwap, undefined),
    { memory: { limit: 64 * megabyte } },
  );
});

test('limits reach the runtime under its names', () => {
  const limits = {
    cpuShares: 512,
    cpuQuotaUs: 50_000,
    cpuPeriodUs: 100_000,
    cpusetCpus: '0-1',
    pidsLimit: 9,
    blkioWeight: 300,
  };
  assert.deepEqual(runtimeResources(limits, v1, [{ allow: false, access: 'rwm' }]), {
    devices: [{ allow: false, access: 'rwm' }],
    cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0-1' },
    pids: { limit: 9 },
    blockIO: { weight: 300 },
  });
  const device = { major: 8, minor: 16 };
  const limited = [
    { kind: 'weight' as const, value: 200, ...device },
    { kind: 'readBps' as const, value: 1024, ...device },
    { kind: 'writeIops' as const, value: 5, ...device },
  ];
  assert.deepEqual(runtimeResources({}, v1, undefined, limited).blockIO, {
    weightDevice: [{ ...device, weight: 200 }],
    throttleReadBpsDevice: [{ ...device, rate: 1024 }],
    throttleWriteIOPSDevice: [{ ...device, rate: 5 }],
  });
  assert.deepEqual(runtimeResources({ pidsLimit: -1 }, v1, undefined), { pids: { limit: -1 } });
});

test('limits that contradict themselves are refused', () => {
  const wrong = [
    { memoryBytes: megabyte },
    { memorySwapBytes: 64 * megabyte },
    { memoryBytes: 64 * megabyte, memorySwapBytes: 32 * megabyte },
    { memoryBytes: 64 * megabyte, memoryReservationBytes: 65 * megabyte },
    { memorySwappiness: 101 },
    { cpuPeriodUs: 10 },
    { cpuQuotaUs: 10 },
  ];
  for (const limits of wrong)
    assert.throws(() => runtimeResources(limits, v1, undefined), { reason: 'InvalidArgument' }, JSON.stringify(limits));
});

test('ulimits are checked against what the daemon may set', () => {
  const hard = { nofile: 20_000 };
  assert.deepEqual(resolveUlimits([{ name: 'nofile', soft: 1024, hard: 4096 }], hard), [
    { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 },
  ]);
  assert.deepEqual(resolveUlimits([{ name: 'core', soft: -1, hard: -1 }], hard), [
    { type: 'RLIMIT_CORE', soft: Infinity, hard: Infinity },
  ]);
  assert.deepEqual(resolveUlimits([{ name: 'nofile', soft: 30_000, hard: -1 }], hard), [
    { type: 'RLIMIT_NOFILE', soft: 20_000, hard: 20_000 },
  ]);
  assert.match(ulimitWarnings([{ name: 'nofile', soft: 1, hard: 20_001 }], hard)[0] ?? '', /is 20000 instead of 20001/);
  assert.match(ulimitWarnings([{ name: 'nofile', soft: 1, hard: -1 }], hard)[0] ?? '', /instead of unlimited/);
  assert.deepEqual(ulimitWarnings([{ name: 'nofile', soft: 1, hard: 20_000 }], hard), []);
  assert.throws(() => resolveUlimits([{ name: 'nofile', soft: 2, hard: 1 }], hard), /soft limit must be less/);
  assert.throws(() => resolveUlimits([{ name: 'files', soft: 1, hard: 1 }], hard), /invalid ulimit type: files/);
});

test('the machine is read as it writes of itself', () => {
  assert.deepEqual(parseKernel('6.18.44-cloud-amd64'), [6, 18]);
  assert.deepEqual(parseKernel('nonsense'), [0, 0]);
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max cpu time              unlimited            unlimited            seconds   ',
    'Max open files            1024                 20000                files     ',
    'Max nice priority         0                    0                    ',
  ].join('\n');
  assert.deepEqual(parseLimits(text), { cpu: Infinity, nofile: 20_000, nice: 0 });
});
