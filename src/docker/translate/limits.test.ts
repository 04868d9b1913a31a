import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ResourceLimits } from '#engine/runtime/container.ts';
import type { HostConfig, Resources } from './host-config-fields.ts';
import { resourceLimits, restartPolicy, ulimits } from './limits.ts';

const mib = 1024 * 1024;

describe('limits', () => {
  const cases: readonly (readonly [string, Resources, ResourceLimits])[] = [
    ['none', {}, {}],
    ['zeroes', { Memory: 0, NanoCpus: 0, CpuShares: 0, PidsLimit: 0 }, {}],
    ['memory brings as much swap', { Memory: 64 * mib }, { memoryBytes: 64 * mib, memorySwapBytes: 128 * mib }],
    ['memory and unlimited swap', { Memory: 64 * mib, MemorySwap: -1 }, { memoryBytes: 64 * mib, memorySwapBytes: -1 }],
    [
      'a reservation and swappiness',
      { Memory: 64 * mib, MemorySwap: 64 * mib, MemoryReservation: 8 * mib, MemorySwappiness: 0 },
      { memoryBytes: 64 * mib, memorySwapBytes: 64 * mib, memoryReservationBytes: 8 * mib, memorySwappiness: 0 },
    ],
    ['swappiness -1 is none', { MemorySwappiness: -1 }, {}],
    ['--cpus 1.5', { NanoCpus: 1.5e9 }, { cpuPeriodUs: 100_000, cpuQuotaUs: 150_000 }],
    ['a tiny share of a CPU', { NanoCpus: 1 }, { cpuPeriodUs: 100_000, cpuQuotaUs: 1000 }],
    ['period and quota', { CpuPeriod: 50_000, CpuQuota: 25_000 }, { cpuPeriodUs: 50_000, cpuQuotaUs: 25_000 }],
    [
      'sets, shares, pids, weight',
      { CpusetCpus: '0-1', CpusetMems: '0', CpuShares: 512, PidsLimit: 10, BlkioWeight: 300, OomKillDisable: true },
      { cpusetCpus: '0-1', cpusetMems: '0', cpuShares: 512, pidsLimit: 10, blkioWeight: 300, oomKillDisable: true },
    ],
    ['unlimited pids', { PidsLimit: -1 }, { pidsLimit: -1 }],
    [
      'one block device',
      { BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 10 }], BlkioDeviceWriteBps: [{ Path: '/dev/sda', Rate: 1 }] },
      {
        blockDevices: [
          { kind: 'weight', path: '/dev/sda', value: 10 },
          { kind: 'writeBps', path: '/dev/sda', value: 1 },
        ],
      },
    ],
  ];
  for (const [name, resources, expected] of cases) {
    test(name, () => assert.deepEqual(resourceLimits(resources, 2), expected));
  }

  const wrong: readonly (readonly [Resources, RegExp])[] = [
    [{ Memory: -1 }, /Memory: must not be less than 0/],
    [{ Memory: mib }, /Minimum memory limit allowed is 6MB/],
    [{ MemorySwap: 64 * mib }, /set Memory too/],
    [{ Memory: 64 * mib, MemorySwap: 32 * mib }, /must not be smaller than Memory/],
    [{ MemorySwap: -2 }, /must not be less than -1/],
    [{ Memory: 64 * mib, MemoryReservation: 65 * mib }, /must not be larger than Memory/],
    [{ MemorySwappiness: 101 }, /must be from 0 to 100/],
    [{ NanoCpus: 3e9 }, /range of CPUs is from 0\.01 to 2\.00, as there are only 2 CPUs available/],
    [{ NanoCpus: 1e9, CpuQuota: 5000 }, /conflicts with CpuQuota/],
    [{ NanoCpus: 1e9, CpuPeriod: 5000 }, /conflicts with CpuPeriod/],
    [{ CpuPeriod: 999 }, /must be from 1000/],
    [{ CpuQuota: 5 }, /must not be less than 1000/],
    [{ CpusetCpus: '0;1' }, /Invalid value 0;1/],
    [{ BlkioWeight: 5 }, /must be from 10 to 1000/],
    [{ CpuShares: -1 }, /must not be less than 0/],
  ];
  for (const [resources, message] of wrong) {
    test(`refuses ${JSON.stringify(resources)}`, () =>
      assert.throws(() => resourceLimits(resources, 2), { reason: 'InvalidArgument', message }));
  }
});

test('ulimits have a name and a soft limit below the hard one', () => {
  const read = (Ulimits: HostConfig['Ulimits']): unknown => ulimits(Ulimits === undefined ? {} : { Ulimits });
  assert.deepEqual(read([{ Name: 'nofile', Soft: 1, Hard: 2 }]), [{ name: 'nofile', soft: 1, hard: 2 }]);
  assert.deepEqual(read([{ Name: 'core', Soft: -1, Hard: -1 }]), [{ name: 'core', soft: -1, hard: -1 }]);
  assert.deepEqual(read(undefined), []);
  assert.throws(() => read([{ Name: 'nofile', Soft: 3, Hard: 2 }]), /soft limit must be less than or equal/);
  assert.throws(() => read([{ Name: 'nofile', Soft: -1, Hard: 2 }]), /soft limit must be less than or equal/);
  assert.throws(() => read([{ Name: 'NO FILE' }]), { reason: 'InvalidArgument' });
});

test('restart policies', () => {
  assert.deepEqual(restartPolicy({}), { name: 'no', maximumRetryCount: 0 });
  assert.deepEqual(restartPolicy({ Name: '', MaximumRetryCount: 3 }), { name: 'no', maximumRetryCount: 0 });
  assert.deepEqual(restartPolicy({ Name: 'on-failure', MaximumRetryCount: 3 }), {
    name: 'on-failure',
    maximumRetryCount: 3,
  });
  assert.deepEqual(restartPolicy({ Name: 'unless-stopped' }), { name: 'unless-stopped', maximumRetryCount: 0 });
  assert.throws(() => restartPolicy({ Name: 'sometimes' }), /unknown policy 'sometimes'/);
  assert.throws(() => restartPolicy({ Name: 'always', MaximumRetryCount: 3 }), /only be used with 'on-failure'/);
  assert.throws(() => restartPolicy({ Name: 'on-failure', MaximumRetryCount: -1 }), { reason: 'InvalidArgument' });
});
