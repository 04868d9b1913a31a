/** The part of an OCI runtime bundle's `config.json` that we write (OCI runtime specification, config.md and config-linux.md). */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: RuntimeProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts: readonly RuntimeMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux: RuntimeLinux;
}

export interface RuntimeProcess {
  readonly terminal: boolean;
  readonly user: RuntimeUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities?: RuntimeCapabilities;
  readonly rlimits?: readonly RuntimeRlimit[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj?: number;
}

export interface RuntimeUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

export interface RuntimeCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

export interface RuntimeRlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup';

export interface RuntimeNamespace {
  readonly type: NamespaceType;
  readonly path?: string;
}

/** IDs from `containerID` on are those from `hostID` on, outside. */
export interface RuntimeIdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface RuntimeLinux {
  readonly cgroupsPath: string;
  readonly uidMappings?: readonly RuntimeIdMapping[];
  readonly gidMappings?: readonly RuntimeIdMapping[];
  readonly namespaces: readonly RuntimeNamespace[];
  readonly resources: RuntimeResources;
  readonly devices: readonly RuntimeDevice[];
  readonly sysctl: Readonly<Record<string, string>>;
  readonly seccomp?: RuntimeSeccomp;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly rootfsPropagation?: string;
}

export interface RuntimeDevice {
  readonly path: string;
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: 'a' | 'c' | 'b';
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface RuntimeResources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: RuntimeBlockIo;
}

export interface RuntimeBlockIo {
  readonly weight?: number;
  readonly weightDevice?: readonly (DeviceNumber & { readonly weight: number })[];
  readonly throttleReadBpsDevice?: readonly ThrottledDevice[];
  readonly throttleWriteBpsDevice?: readonly ThrottledDevice[];
  readonly throttleReadIOPSDevice?: readonly ThrottledDevice[];
  readonly throttleWriteIOPSDevice?: readonly ThrottledDevice[];
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export interface ThrottledDevice extends DeviceNumber {
  readonly rate: number;
}

export interface RuntimeSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}
