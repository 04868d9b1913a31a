import { isObject } from '#base/json.ts';
import type { BlockDeviceLimit, ContainerSpec } from '#engine/runtime/container.ts';

import type { Config } from './config-fields.ts';
import { configFields } from './config-fields.ts';
import { withDefaults } from './field.ts';
import type { HostConfig } from './host-config-fields.ts';
import { hostConfigFields } from './host-config-fields.ts';

/** What Docker's face keeps in `ContainerSpec.origin`: the request, with the image's defaults merged in. */
export interface DockerOrigin {
  readonly face: 'docker';
  readonly config: Config;
  readonly hostConfig: HostConfig;
}

/** The request that a container was made by; for containers that other faces made, what their spec says. */
export function originOf(spec: ContainerSpec): DockerOrigin {
  if (isObject(spec.origin) && spec.origin['face'] === 'docker') return spec.origin as unknown as DockerOrigin;
  return {
    face: 'docker',
    config: {
      Image: spec.imageName,
      Cmd: spec.args,
      Env: spec.env,
      WorkingDir: spec.cwd,
      User: spec.user,
      Labels: spec.labels,
      Tty: spec.tty,
      OpenStdin: spec.openStdin,
      StdinOnce: spec.stdinOnce,
    },
    hostConfig: { Privileged: spec.privileged, ReadonlyRootfs: spec.readOnlyRoot, AutoRemove: spec.autoRemove },
  };
}

/** `Config` as inspect shows it. */
export function shownConfig(spec: ContainerSpec, id: string): Record<string, unknown> {
  const { config } = originOf(spec);
  const hostname = spec.hostname === '' ? id.slice(0, 12) : spec.hostname;
  return withDefaults(configFields, { ...config, Hostname: hostname });
}

/** `HostConfig` as inspect shows it, with what `update` changed since. */
export function shownHostConfig(spec: ContainerSpec): Record<string, unknown> {
  const { hostConfig } = originOf(spec);
  const { limits } = spec;
  return withDefaults(hostConfigFields, {
    ...hostConfig,
    NetworkMode: shownNetworkMode(spec, hostConfig.NetworkMode ?? ''),
    RestartPolicy: { Name: spec.restart.name, MaximumRetryCount: spec.restart.maximumRetryCount },
    LogConfig: { Type: spec.log.driver, Config: spec.log.options },
    ShmSize: spec.shmSizeBytes,
    Runtime: spec.runtime ?? 'runc',
    Memory: limits.memoryBytes ?? 0,
    MemorySwap: limits.memorySwapBytes ?? 0,
    MemoryReservation: limits.memoryReservationBytes ?? 0,
    CpuShares: limits.cpuShares ?? 0,
    CpusetCpus: limits.cpusetCpus ?? '',
    CpusetMems: limits.cpusetMems ?? '',
    PidsLimit: limits.pidsLimit ?? null,
    BlkioWeight: limits.blkioWeight ?? 0,
    ...shownBlockDevices(limits.blockDevices ?? []),
    ...shownCpuQuota(spec, hostConfig),
  });
}

function shownBlockDevices(limits: readonly BlockDeviceLimit[]): Partial<HostConfig> {
  const rates = (wanted: BlockDeviceLimit['kind']): readonly { readonly Path: string; readonly Rate: number }[] =>
    limits.filter(({ kind }) => kind === wanted).map(({ path, value }) => ({ Path: path, Rate: value }));
  return {
    BlkioWeightDevice: rates('weight').map(({ Path, Rate }) => ({ Path, Weight: Rate })),
    BlkioDeviceReadBps: rates('readBps'),
    BlkioDeviceWriteBps: rates('writeBps'),
    BlkioDeviceReadIOps: rates('readIops'),
    BlkioDeviceWriteIOps: rates('writeIops'),
  };
}

function shownNetworkMode(spec: ContainerSpec, requested: string): string {
  const { mode, shareWith = '' } = spec.network;
  if (mode === 'container') return `container:${shareWith}`;
  if (mode !== 'networks') return mode;
  return requested === '' || requested === 'default' ? 'bridge' : requested;
}

/** A quota that `--cpus` made is shown as NanoCpus, unless an update set another one. */
function shownCpuQuota(spec: ContainerSpec, hostConfig: HostConfig): Record<string, number> {
  const { cpuPeriodUs = 0, cpuQuotaUs = 0 } = spec.limits;
  const asNano = (hostConfig.NanoCpus ?? 0) > 0 && cpuPeriodUs > 0;
  if (asNano) return { NanoCpus: Math.round((cpuQuotaUs / cpuPeriodUs) * 1e9), CpuPeriod: 0, CpuQuota: 0 };
  return { NanoCpus: 0, CpuPeriod: cpuPeriodUs, CpuQuota: cpuQuotaUs };
}
