import type { IdMap } from '#formats/id-map.ts';
import type { Digest, HealthcheckConfig } from '#formats/oci.ts';
import type { LogConfig } from '../logs/log-config.ts';
import type { DnsSettings, EndpointRequest, PortRequest, Sandbox } from '../network/networks.ts';
import type { RuntimeName } from './oci-runtimes.ts';

/** A mount of a container, resolved: what is mounted where. */
export interface MountRequest {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Absolute host path for bind, volume name for volume ('' = a new anonymous one), image name or ID, '' for tmpfs. */
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
  /** How far `readOnly` reaches: mounts below too where the kernel can (default), surely too, or not. */
  readonly readOnlyReach?: 'all-if-possible' | 'all' | 'top';
  /** Bind: leave out what is mounted below the source. */
  readonly nonRecursive?: boolean;
  /** Volume, image: the folder or file in it that is mounted, relative. */
  readonly subpath?: string;
  /** Bind propagation: `rprivate` (default), `private`, `rshared`, `shared`, `rslave`, `slave`. */
  readonly propagation?: string;
  /** Bind: make the host directory when it is missing (`-v`), else refuse (`--mount`). */
  readonly createSource?: boolean;
  /** Volume: do not copy the image's content into an empty volume. */
  readonly noCopy?: boolean;
  readonly tmpfsSizeBytes?: number;
  readonly tmpfsMode?: number;
  /** Further tmpfs options as given to `--tmpfs`, such as `uid=1000`. */
  readonly tmpfsOptions?: readonly string[];
  readonly volumeLabels?: Readonly<Record<string, string>>;
  readonly volumeDriverOptions?: Readonly<Record<string, string>>;
}

export interface Ulimit {
  /** Without `RLIMIT_`, lower case: `nofile`. */
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

export interface DeviceRequest {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Any of `r`, `w`, `m`. */
  readonly permissions: string;
}

/** What a container may do with one block device of the host. */
export interface BlockDeviceLimit {
  /** `weight` is from 10 to 1000; the others count bytes or operations per second. */
  readonly kind: 'weight' | 'readBps' | 'writeBps' | 'readIops' | 'writeIops';
  readonly path: string;
  readonly value: number;
}

/** Limits of a container; undefined means none. */
export interface ResourceLimits {
  readonly memoryBytes?: number;
  /** Memory plus swap; -1: unlimited swap. */
  readonly memorySwapBytes?: number;
  readonly memoryReservationBytes?: number;
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  readonly cpuShares?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuQuotaUs?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** -1: no limit, where there was one before. */
  readonly pidsLimit?: number;
  readonly blkioWeight?: number;
  readonly blockDevices?: readonly BlockDeviceLimit[];
}

export interface RestartPolicy {
  readonly name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** Attempts for `on-failure`; 0: without limit. */
  readonly maximumRetryCount: number;
}

/** Everything that a container is made of, after the image's defaults were merged in. Immutable but for `update`. */
export interface ContainerSpec {
  readonly imageId: Digest;
  /** The image as the user named it. */
  readonly imageName: string;
  /** The whole command: entrypoint and arguments. Never empty. */
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]`, names or numbers, '' = root; looked up in the root filesystem at start. */
  readonly user: string;
  readonly additionalGroups: readonly string[];
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** Close stdin when the first attached client leaves. */
  readonly stdinOnce: boolean;
  readonly hostname: string;
  readonly domainname: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Signal name or number for `stop`; '' = SIGTERM. */
  readonly stopSignal: string;
  /** Seconds between the stop signal and SIGKILL. */
  readonly stopTimeoutSeconds: number;
  readonly privileged: boolean;
  readonly readOnlyRoot: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** `seccomp=unconfined`, `seccomp={json}`, `no-new-privileges`, `apparmor=...`, `label=...`, `systempaths=unconfined`, `writable-cgroups`. */
  readonly securityOptions: readonly string[];
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly limits: ResourceLimits;
  readonly ulimits: readonly Ulimit[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly devices: readonly DeviceRequest[];
  /** `c 1:3 rwm`: devices that it may use should it make them, as cgroup-v1/devices.rst writes them. */
  readonly deviceRules?: readonly string[];
  /** Handed on to the runtime as they are. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly shmSizeBytes: number;
  readonly oomScoreAdj: number;
  readonly init: boolean;
  /** What makes it; undefined: the engine's default. */
  readonly runtime?: RuntimeName;
  /** '' = a namespace of its own, `host`, or `container:<id>`; IPC also `none`, `private`, `shareable`, `sandbox:<id>`. */
  readonly pidMode: string;
  readonly ipcMode: string;
  readonly utsMode: string;
  /** `host`: root in it is root of the machine, also where the engine gives containers a user namespace. */
  readonly usernsMode?: 'host';
  readonly cgroupnsMode: string;
  readonly cgroupParent: string;
  readonly mounts: readonly MountRequest[];
  readonly network: {
    readonly mode: 'networks' | 'none' | 'host' | 'container';
    /** ID of the other container, or of a pod's sandbox, for mode `container`. */
    readonly shareWith?: string;
    readonly endpoints: readonly EndpointRequest[];
    readonly ports: readonly PortRequest[];
    readonly dns: DnsSettings;
    readonly extraHosts: readonly string[];
    /** Ports that the image or the user says that the program serves. */
    readonly exposed?: readonly Pick<PortRequest, 'containerPort' | 'protocol'>[];
    /** Containers on the default bridge that it knows by name and environment (`--link`). */
    readonly links?: readonly { readonly containerId: string; readonly alias: string }[];
  };
  readonly restart: RestartPolicy;
  readonly autoRemove: boolean;
  readonly healthcheck?: HealthcheckConfig;
  readonly log: LogConfig;
  /** What the face that created it wants to find again at inspect; opaque to the engine. */
  readonly origin: unknown;
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** What the health checks of a running container found. */
export interface ContainerHealth {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  /** Failures in a row. */
  readonly failingStreak: number;
  /** The last probes, oldest first; times are ISO 8601. */
  readonly log: readonly {
    readonly start: string;
    readonly end: string;
    readonly exitCode: number;
    readonly output: string;
  }[];
}

export interface ContainerState {
  readonly status: ContainerStatus;
  /** Process ID on the host; 0 when not running. */
  readonly pid: number;
  readonly exitCode: number;
  /** Why the last start failed; '' when it did not. */
  readonly error: string;
  readonly oomKilled: boolean;
  /** ISO 8601 with nanoseconds as Docker prints, `0001-01-01T00:00:00Z` when never. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** Present while it runs with a health check. */
  readonly health?: ContainerHealth;
}

/** A mount as inspect shows it. */
export interface MountPoint {
  readonly type: MountRequest['type'];
  /** Volume name; '' else. */
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly propagation: string;
}

/** A container as it is now; a value, never changed in place. */
export interface Container {
  readonly id: string;
  /** Without the leading `/`. */
  readonly name: string;
  readonly createdAt: string;
  readonly spec: ContainerSpec;
  readonly state: ContainerState;
  readonly mounts: readonly MountPoint[];
  /** Whose its files are while it runs in a user namespace of its own: what owners inside are outside. */
  readonly ids?: IdMap;
  /** Present while it runs. */
  readonly sandbox: Sandbox | undefined;
  /** The file that the driver json-file writes; '' for other drivers. */
  readonly logPath: string;
  readonly hostnamePath: string;
  readonly hostsPath: string;
  readonly resolvConfPath: string;
  readonly execIds: readonly string[];
}
