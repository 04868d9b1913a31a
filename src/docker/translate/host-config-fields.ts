import { flag, integer, listOf, mapOf, objectOf, sparseListOf, text } from '../http/decode.ts';
import type { FieldTable, ValuesOf } from './field.ts';
import { isEmptyList, isEmptyMap, isEmptyText, isOneOf, isZero, mapped, refused } from './field.ts';
import { mountFields } from './mount-fields.ts';

const texts = listOf(text);
const textMap = mapOf(text, '');

export const ulimit = objectOf({ Name: text, Soft: integer, Hard: integer });
const throttles = sparseListOf(objectOf({ Path: text, Rate: integer }));
const weights = sparseListOf(objectOf({ Path: text, Weight: integer }));
const device = objectOf({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text });
const deviceRequest = objectOf({
  Driver: text,
  Count: integer,
  DeviceIDs: texts,
  Capabilities: listOf(texts),
  Options: textMap,
});
export const restartPolicy = objectOf({ Name: text, MaximumRetryCount: integer });
const portBinding = objectOf({ HostIp: text, HostPort: text });

const onlyWindows = 'it means something on Windows only; leave it away';

/** The limits of a container (API 1.54, Resources): of a create request's HostConfig and of an update. */
export const resourceFields = {
  CpuShares: mapped(integer, 0),
  Memory: mapped(integer, 0),
  NanoCpus: mapped(integer, 0),
  CgroupParent: mapped(text, ''),
  BlkioWeight: mapped(integer, 0),
  BlkioWeightDevice: mapped(weights, []),
  BlkioDeviceReadBps: mapped(throttles, []),
  BlkioDeviceWriteBps: mapped(throttles, []),
  BlkioDeviceReadIOps: mapped(throttles, []),
  BlkioDeviceWriteIOps: mapped(throttles, []),
  CpuPeriod: mapped(integer, 0),
  CpuQuota: mapped(integer, 0),
  CpuRealtimePeriod: refused(integer, 0, isZero, 'real-time scheduling is not given to containers; leave it away'),
  CpuRealtimeRuntime: refused(integer, 0, isZero, 'real-time scheduling is not given to containers; leave it away'),
  CpusetCpus: mapped(text, ''),
  CpusetMems: mapped(text, ''),
  Devices: mapped(listOf(device), []),
  DeviceCgroupRules: mapped(texts, null),
  DeviceRequests: refused(
    sparseListOf(deviceRequest),
    null,
    isEmptyList,
    'no driver for GPUs or other requested devices is there; give the device files by --device',
  ),
  KernelMemory: refused(integer, undefined, isZero, 'kernels since 5.4 have no such limit; use Memory'),
  KernelMemoryTCP: refused(integer, undefined, isZero, 'TCP buffers are not limited on their own; use Memory'),
  MemoryReservation: mapped(integer, 0),
  MemorySwap: mapped(integer, 0),
  MemorySwappiness: mapped(integer, null),
  OomKillDisable: mapped(flag, null),
  PidsLimit: mapped(integer, null),
  Ulimits: mapped(sparseListOf(ulimit), []),
  CpuCount: refused(integer, 0, isZero, onlyWindows),
  CpuPercent: refused(integer, 0, isZero, onlyWindows),
  IOMaximumIOps: refused(integer, 0, isZero, onlyWindows),
  IOMaximumBandwidth: refused(integer, 0, isZero, onlyWindows),
} as const satisfies FieldTable;

/** HostConfig of a create request, API 1.54: every field, and what becomes of it. */
export const hostConfigFields = {
  Binds: mapped(texts, null),
  // Written and read by the client alone.
  ContainerIDFile: mapped(text, ''),
  LogConfig: mapped(objectOf({ Type: text, Config: textMap }), { Type: 'json-file', Config: {} }),
  NetworkMode: mapped(text, 'bridge'),
  PortBindings: mapped(mapOf(listOf(portBinding), []), {}),
  RestartPolicy: mapped(restartPolicy, { Name: 'no', MaximumRetryCount: 0 }),
  AutoRemove: mapped(flag, false),
  VolumeDriver: refused(text, '', isOneOf('', 'local'), 'the only volume driver is "local"'),
  VolumesFrom: mapped(texts, null),
  ConsoleSize: mapped(listOf(integer), [0, 0]),
  Annotations: mapped(textMap, undefined),
  CapAdd: mapped(texts, null),
  CapDrop: mapped(texts, null),
  CgroupnsMode: mapped(text, ''),
  Dns: mapped(texts, []),
  DnsOptions: mapped(texts, []),
  DnsSearch: mapped(texts, []),
  ExtraHosts: mapped(texts, null),
  GroupAdd: mapped(texts, null),
  IpcMode: mapped(text, ''),
  Cgroup: refused(text, '', isEmptyText, 'cgroups of other containers are not joined; use CgroupParent'),
  Links: mapped(texts, null),
  OomScoreAdj: mapped(integer, 0),
  PidMode: mapped(text, ''),
  Privileged: mapped(flag, false),
  PublishAllPorts: mapped(flag, false),
  ReadonlyRootfs: mapped(flag, false),
  SecurityOpt: mapped(texts, null),
  StorageOpt: refused(
    textMap,
    undefined,
    isEmptyMap,
    'a size for a root filesystem needs project quotas, which are not used here; put data into a volume with --opt size=',
  ),
  Tmpfs: mapped(textMap, undefined),
  UTSMode: mapped(text, ''),
  UsernsMode: mapped(text, ''),
  ShmSize: mapped(integer, 0),
  Sysctls: mapped(textMap, undefined),
  Runtime: mapped(text, ''),
  Isolation: refused(text, '', isOneOf('', 'default'), onlyWindows),
  Mounts: mapped(listOf(objectOf(mountFields)), undefined),
  MaskedPaths: mapped(texts, undefined),
  ReadonlyPaths: mapped(texts, undefined),
  Init: mapped(flag, undefined),
  ...resourceFields,
} as const satisfies FieldTable;

export type HostConfig = ValuesOf<typeof hostConfigFields>;
export type Resources = ValuesOf<typeof resourceFields>;
