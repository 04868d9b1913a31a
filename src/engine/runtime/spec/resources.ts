import { StatusError } from '#base/errors.ts';
import type { ResourceLimits } from '../container.ts';
import type { NumberedBlockLimit } from './devices.ts';
import type { HostFacts } from './host-facts.ts';
import type { DeviceRule, RuntimeBlockIo, RuntimeResources } from './runtime-spec.ts';

/** The least that a container's memory may be limited to, as Docker has it: the runtime itself needs that much. */
const leastMemoryBytes = 6 * 1024 * 1024;

/** The cgroup limits for the runtime, which translates them to cgroups v1 or v2 itself. Throws InvalidArgument. */
export function runtimeResources(
  limits: ResourceLimits,
  facts: Pick<HostFacts, 'swapLimits' | 'cgroupVersion'>,
  devices: readonly DeviceRule[] | undefined,
  blockDevices: readonly NumberedBlockLimit[] = [],
): RuntimeResources {
  const memory = memoryOf(limits, facts);
  const cpu = cpuOf(limits);
  const blockIO = blockIoOf(limits.blkioWeight ?? 0, blockDevices);
  return {
    ...(devices !== undefined && { devices }),
    ...(memory !== undefined && { memory }),
    ...(cpu !== undefined && { cpu }),
    ...(limits.pidsLimit !== undefined && limits.pidsLimit !== 0 && { pids: { limit: limits.pidsLimit } }),
    ...(Object.keys(blockIO).length > 0 && { blockIO }),
  };
}

const throttles = {
  readBps: 'throttleReadBpsDevice',
  writeBps: 'throttleWriteBpsDevice',
  readIops: 'throttleReadIOPSDevice',
  writeIops: 'throttleWriteIOPSDevice',
} as const;

function blockIoOf(weight: number, devices: readonly NumberedBlockLimit[]): RuntimeBlockIo {
  const ofKind = (kind: NumberedBlockLimit['kind']): readonly NumberedBlockLimit[] =>
    devices.filter((device) => device.kind === kind);
  const weights = ofKind('weight').map(({ major, minor, value }) => ({ major, minor, weight: value }));
  const rates = (Object.keys(throttles) as (keyof typeof throttles)[]).map(
    (kind) =>
      [throttles[kind], ofKind(kind).map(({ major, minor, value }) => ({ major, minor, rate: value }))] as const,
  );
  return {
    ...(weight !== 0 && { weight }),
    ...(weights.length > 0 && { weightDevice: weights }),
    ...Object.fromEntries(rates.filter(([, list]) => list.length > 0)),
  };
}

function memoryOf(
  limits: ResourceLimits,
  facts: Pick<HostFacts, 'swapLimits' | 'cgroupVersion'>,
): RuntimeResources['memory'] {
  const limit = limits.memoryBytes ?? 0;
  const swap = limits.memorySwapBytes ?? 0;
  if (limit !== 0 && limit < leastMemoryBytes) throw invalid('Minimum memory limit allowed is 6MB');
  if (limit === 0 && swap > 0) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (limit > 0 && swap > 0 && swap < limit) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  const reservation = limits.memoryReservationBytes ?? 0;
  if (limit > 0 && reservation > limit) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  // Without a word on swap a container may swap as much as it has memory.
  const effectiveSwap = swap !== 0 ? swap : limit * 2;
  const swappiness = limits.memorySwappiness ?? -1;
  if (swappiness < -1 || swappiness > 100) {
    throw invalid(`Invalid value: ${String(swappiness)}, valid memory swappiness range is 0-100`);
  }
  const memory = {
    ...(limit > 0 && { limit }),
    ...(reservation > 0 && { reservation }),
    ...(facts.swapLimits && effectiveSwap !== 0 && { swap: effectiveSwap }),
    ...(swappiness >= 0 && facts.cgroupVersion === 1 && { swappiness }),
    ...(limits.oomKillDisable === true && facts.cgroupVersion === 1 && { disableOOMKiller: true }),
  };
  return Object.keys(memory).length === 0 ? undefined : memory;
}

function cpuOf(limits: ResourceLimits): RuntimeResources['cpu'] {
  const period = limits.cpuPeriodUs ?? 0;
  const quota = limits.cpuQuotaUs ?? 0;
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (quota > 0 && quota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  const cpu = {
    ...(limits.cpuShares !== undefined && limits.cpuShares !== 0 && { shares: limits.cpuShares }),
    ...(quota !== 0 && { quota }),
    ...(period !== 0 && { period }),
    ...(limits.cpusetCpus !== undefined && limits.cpusetCpus !== '' && { cpus: limits.cpusetCpus }),
    ...(limits.cpusetMems !== undefined && limits.cpusetMems !== '' && { mems: limits.cpusetMems }),
  };
  return Object.keys(cpu).length === 0 ? undefined : cpu;
}

function invalid(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
