import { StatusError } from '#base/errors.ts';
import type { BlockDeviceLimit, ResourceLimits, RestartPolicy, Ulimit } from '#engine/runtime/container.ts';

import type { HostConfig, Resources } from './host-config-fields.ts';

/** Less than this, runc cannot even start a process. Docker's bound. */
const minimumMemoryBytes = 6 * 1024 * 1024;
const cpuPeriodUs = 100_000;

/** Translates and checks limits; throws InvalidArgument. `cpus`: how many CPUs the machine has. */
export function resourceLimits(resources: Resources, cpus: number): ResourceLimits {
  checkCpuset('CpusetCpus', resources.CpusetCpus ?? '');
  checkCpuset('CpusetMems', resources.CpusetMems ?? '');
  const shares = atLeast('CpuShares', resources.CpuShares, 0);
  const weight = resources.BlkioWeight ?? 0;
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw invalid('BlkioWeight', 'must be from 10 to 1000');
  const pids = Math.max(-1, resources.PidsLimit ?? 0);
  const blockDevices = blockDeviceLimits(resources);
  return {
    ...memoryLimits(resources),
    ...cpuLimits(resources, cpus),
    ...(shares > 0 && { cpuShares: shares }),
    ...((resources.CpusetCpus ?? '') !== '' && { cpusetCpus: resources.CpusetCpus }),
    ...((resources.CpusetMems ?? '') !== '' && { cpusetMems: resources.CpusetMems }),
    ...(pids !== 0 && { pidsLimit: pids }),
    ...(weight > 0 && { blkioWeight: weight }),
    ...(blockDevices.length > 0 && { blockDevices }),
  };
}

const throttleKinds = {
  BlkioDeviceReadBps: 'readBps',
  BlkioDeviceWriteBps: 'writeBps',
  BlkioDeviceReadIOps: 'readIops',
  BlkioDeviceWriteIOps: 'writeIops',
} as const;

function blockDeviceLimits(resources: Resources): readonly BlockDeviceLimit[] {
  const weights = (resources.BlkioWeightDevice ?? []).map(({ Path = '', Weight = 0 }) => {
    if (Weight < 10 || Weight > 1000)
      throw invalid('BlkioWeightDevice', `the weight of ${Path} must be from 10 to 1000`);
    return { kind: 'weight' as const, path: Path, value: Weight };
  });
  const throttles = (Object.keys(throttleKinds) as (keyof typeof throttleKinds)[]).flatMap((name) =>
    (resources[name] ?? []).map(({ Path = '', Rate = 0 }) => {
      return { kind: throttleKinds[name], path: Path, value: atLeast(name, Rate, 1) };
    }),
  );
  return [...weights, ...throttles];
}

export function ulimits(host: HostConfig): readonly Ulimit[] {
  return (host.Ulimits ?? []).map(({ Name = '', Soft = 0, Hard = 0 }) => {
    if (!/^[a-z]+$/.test(Name)) throw invalid('Ulimits', `"${Name}" is not a limit's name`);
    if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
      throw invalid('Ulimits', `ulimit soft limit must be less than or equal to hard limit: ${Name}`);
    }
    return { name: Name, soft: Soft, hard: Hard };
  });
}

/** Docker's four policies; throws InvalidArgument for others and for a retry count that has no meaning. */
export function restartPolicy(policy: NonNullable<HostConfig['RestartPolicy']>): RestartPolicy {
  const maximumRetryCount = policy.MaximumRetryCount ?? 0;
  const name = (policy.Name ?? '') === '' ? 'no' : policy.Name;
  if (name !== 'no' && name !== 'on-failure' && name !== 'always' && name !== 'unless-stopped') {
    const known = `use one of 'no', 'always', 'on-failure', or 'unless-stopped'`;
    throw new StatusError('InvalidArgument', `invalid restart policy: unknown policy '${String(name)}'; ${known}`);
  }
  if (maximumRetryCount < 0 || (maximumRetryCount > 0 && name !== 'on-failure' && policy.Name !== '')) {
    const rule = `maximum retry count can only be used with 'on-failure' and cannot be negative`;
    throw new StatusError('InvalidArgument', `invalid restart policy: ${rule}`);
  }
  return { name, maximumRetryCount: name === 'on-failure' ? maximumRetryCount : 0 };
}

function memoryLimits(resources: Resources): ResourceLimits {
  const memory = atLeast('Memory', resources.Memory, 0);
  const reservation = atLeast('MemoryReservation', resources.MemoryReservation, 0);
  const swap = atLeast('MemorySwap', resources.MemorySwap, -1);
  const swappiness = resources.MemorySwappiness ?? -1;
  if (memory > 0 && memory < minimumMemoryBytes) throw invalid('Memory', 'Minimum memory limit allowed is 6MB');
  if (swap > 0 && memory === 0) throw invalid('MemorySwap', 'set Memory too when limiting swap');
  if (swap > 0 && swap < memory) throw invalid('MemorySwap', 'must not be smaller than Memory');
  if (memory > 0 && reservation > memory) throw invalid('MemoryReservation', 'must not be larger than Memory');
  if (swappiness < -1 || swappiness > 100) throw invalid('MemorySwappiness', 'must be from 0 to 100, or -1');
  // As in Docker, as much swap as memory unless it is said otherwise.
  const swapBytes = swap === 0 && memory > 0 ? Math.min(memory * 2, Number.MAX_SAFE_INTEGER) : swap;
  return {
    ...(memory > 0 && { memoryBytes: memory }),
    ...(swapBytes !== 0 && { memorySwapBytes: swapBytes }),
    ...(reservation > 0 && { memoryReservationBytes: reservation }),
    ...(swappiness >= 0 && { memorySwappiness: swappiness }),
    ...(resources.OomKillDisable === true && { oomKillDisable: true }),
  };
}

function cpuLimits(resources: Resources, cpus: number): ResourceLimits {
  const nano = atLeast('NanoCpus', resources.NanoCpus, 0);
  const period = atLeast('CpuPeriod', resources.CpuPeriod, 0);
  const quota = resources.CpuQuota ?? 0;
  if (nano > 0) {
    if (period > 0) throw invalid('NanoCpus', 'conflicts with CpuPeriod; set one of them');
    if (quota > 0) throw invalid('NanoCpus', 'conflicts with CpuQuota; set one of them');
    if (nano > cpus * 1e9) {
      const range = `range of CPUs is from 0.01 to ${cpus.toFixed(2)}`;
      throw invalid('NanoCpus', `${range}, as there are only ${String(cpus)} CPUs available`);
    }
    return { cpuPeriodUs, cpuQuotaUs: Math.max(1000, Math.round((nano * cpuPeriodUs) / 1e9)) };
  }
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw invalid('CpuPeriod', 'must be from 1000 (1 ms) to 1000000 (1 s)');
  }
  if (quota > 0 && quota < 1000) throw invalid('CpuQuota', 'must not be less than 1000 (1 ms)');
  return { ...(period > 0 && { cpuPeriodUs: period }), ...(quota !== 0 && { cpuQuotaUs: quota }) };
}

function checkCpuset(name: string, text: string): void {
  if (text !== '' && !/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(text)) {
    throw invalid(name, `Invalid value ${text}, want a list such as 0-2,4`);
  }
}

function atLeast(name: string, value: number | undefined, minimum: number): number {
  const number = value ?? 0;
  if (number < minimum) throw invalid(name, `must not be less than ${String(minimum)}`);
  return number;
}

function invalid(name: string, why: string): StatusError {
  const path = `HostConfig.${name}`;
  return new StatusError('InvalidArgument', `${path}: ${why}`, { problems: [{ path, message: why }] });
}
