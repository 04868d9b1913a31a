import { StatusError } from '#base/errors.ts';
import type { IdMap, IdRange } from '#formats/id-map.ts';
import type { ContainerSpec } from '../container.ts';
import { resolveCapabilities } from './capabilities.ts';
import type { DeviceGrant, NumberedBlockLimit } from './devices.ts';
import { resolveEnvironment } from './environment.ts';
import type { HostFacts } from './host-facts.ts';
import {
  type MountInput,
  initTarget,
  keepLocked,
  type ResolvedMount,
  rootPropagation,
  runtimeMounts,
} from './mounts.ts';
import { runtimeNamespaces } from './namespaces.ts';
import { runtimeResources } from './resources.ts';
import type {
  RuntimeCapabilities,
  RuntimeIdMapping,
  RuntimeProcess,
  RuntimeSeccomp,
  RuntimeSpec,
} from './runtime-spec.ts';
import { customSeccomp, defaultSeccomp } from './seccomp.ts';
import { parseSecurityOptions, type SecurityOptions } from './security-options.ts';
import { resolveUlimits } from './ulimits.ts';
import type { ContainerUser } from './user.ts';

/** Everything a runtime spec is made of: the container's own wishes and what was found out for it at start. */
export interface SpecInput {
  readonly spec: ContainerSpec;
  readonly host: HostFacts;
  /** Absolute path of the mounted root filesystem. */
  readonly rootPath: string;
  readonly user: ContainerUser;
  readonly mounts: readonly ResolvedMount[];
  readonly files: MountInput['files'];
  readonly devices: DeviceGrant;
  readonly blockDevices?: readonly NumberedBlockLimit[];
  /** Path of the network namespace; undefined: the host's. */
  readonly netnsPath: string | undefined;
  /** The user namespace that owns the others; undefined: the host's. */
  readonly owner:
    | {
        readonly path: string;
        readonly ids: IdMap;
        /** Options of the mount that a path is in. */
        readonly optionsOf: (path: string) => readonly string[];
      }
    | undefined;
  readonly cgroupsPath: string;
  /** Path of an init binary on the host; undefined when the container asked for none. */
  readonly initPath: string | undefined;
  readonly sharedMemory: MountInput['sharedMemory'];
  /** Process ID of a running container that a namespace mode names; throws when it does not run. */
  readonly pidOf: (containerId: string) => number;
  readonly podIpcPath?: string | undefined;
}

/** Docker's lists: what of /proc and /sys tells or changes too much of the host. */
const defaultMaskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
const defaultReadonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Builds the OCI runtime spec. Pure. Throws InvalidArgument for wishes that contradict themselves or the machine. */
export function buildSpec(input: SpecInput): RuntimeSpec {
  const { spec, host } = input;
  const security = parseSecurityOptions(spec.securityOptions);
  const capabilities = resolveCapabilities(spec, host.capabilities);
  const seccomp = seccompOf(input, security, capabilities);
  const unmasked = spec.privileged || security.allPaths;
  const propagation = rootPropagation(input.mounts);
  const privateUts = spec.utsMode !== 'host';
  const mounts = runtimeMounts({
    spec,
    mounts: input.mounts,
    files: input.files,
    initPath: input.initPath,
    readOnlyOption: readOnlyOption(host.kernel),
    writableCgroups: security.writableCgroups ?? spec.privileged,
    sharedMemory: input.sharedMemory,
  });
  return {
    ociVersion: '1.0.2',
    process: processOf(input, security, capabilities),
    root: { path: input.rootPath, readonly: spec.readOnlyRoot },
    ...(privateUts && { hostname: spec.hostname }),
    mounts: input.owner === undefined ? mounts : keepLocked(mounts, input.owner.optionsOf),
    ...(spec.annotations !== undefined && { annotations: spec.annotations }),
    linux: {
      cgroupsPath: input.cgroupsPath,
      namespaces: runtimeNamespaces({
        ...input,
        userNamespacePath: input.owner?.path,
        cgroupVersion: host.cgroupVersion,
      }),
      ...(input.owner !== undefined && {
        uidMappings: input.owner.ids.uids.map(idMapping),
        gidMappings: input.owner.ids.gids.map(idMapping),
      }),
      resources: runtimeResources(spec.limits, host, input.devices.rules, input.blockDevices),
      devices: input.devices.devices,
      sysctl: sysctlsOf(input),
      ...(seccomp !== undefined && { seccomp }),
      maskedPaths: unmasked ? [] : (spec.maskedPaths ?? defaultMaskedPaths),
      readonlyPaths: unmasked ? [] : (spec.readonlyPaths ?? defaultReadonlyPaths),
      ...(propagation !== undefined && { rootfsPropagation: propagation }),
    },
  };
}

function idMapping({ inside, outside, count }: IdRange): RuntimeIdMapping {
  return { containerID: inside, hostID: outside, size: count };
}

/** TypeScript's library does not know JSON.rawJSON yet. */
const rlimInfinity = (JSON as unknown as { rawJSON(text: string): object }).rawJSON('18446744073709551615');

/** The bytes of `config.json`; an infinite limit becomes the kernel's RLIM_INFINITY, which a double cannot hold. */
export function encodeSpec(spec: RuntimeSpec | RuntimeProcess): string {
  return JSON.stringify(spec, (_, value: unknown) => (value === Infinity ? rlimInfinity : value));
}

/** The capability sets of a process, whoever its user is: exec by a user other than root clears all but the bounding set. */
export function capabilitySets(names: readonly string[]): RuntimeCapabilities {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}

/** `rro` needs mount_setattr with AT_RECURSIVE, which came with Linux 5.12. */
function readOnlyOption(kernel: readonly [number, number]): 'rro' | 'ro' {
  return kernel[0] > 5 || (kernel[0] === 5 && kernel[1] >= 12) ? 'rro' : 'ro';
}

function processOf(input: SpecInput, security: SecurityOptions, capabilities: readonly string[]): RuntimeProcess {
  const { spec, user, host } = input;
  const args = input.initPath === undefined ? spec.args : [initTarget, '--', ...spec.args];
  const apparmor = appArmorOf(security, host);
  return {
    terminal: spec.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args,
    env: resolveEnvironment({ hostname: spec.hostname, tty: spec.tty, home: user.home, env: spec.env }),
    cwd: spec.cwd === '' ? '/' : spec.cwd,
    capabilities: capabilitySets(capabilities),
    rlimits: resolveUlimits(spec.ulimits, host.hardLimits),
    noNewPrivileges: security.noNewPrivileges,
    ...(apparmor !== undefined && { apparmorProfile: apparmor }),
    oomScoreAdj: spec.oomScoreAdj,
  };
}

function appArmorOf(security: SecurityOptions, host: HostFacts): string | undefined {
  if (security.apparmor === undefined) return undefined;
  if (host.appArmor) return security.apparmor;
  if (security.apparmor === 'unconfined') return undefined;
  throw new StatusError('InvalidArgument', 'AppArmor is not enabled on this system');
}

function seccompOf(
  input: SpecInput,
  security: SecurityOptions,
  capabilities: readonly string[],
): RuntimeSeccomp | undefined {
  if (security.seccomp === 'unconfined' || (input.spec.privileged && security.seccomp === 'default')) return undefined;
  const context = { capabilities: new Set(capabilities), arch: input.host.arch, kernel: input.host.kernel };
  return security.seccomp === 'default' ? defaultSeccomp(context) : customSeccomp(security.seccomp, context);
}

function sysctlsOf(input: SpecInput): Readonly<Record<string, string>> {
  const { spec } = input;
  // In a user namespace the last group is none; the network has these from the start on.
  const ownNetwork = input.netnsPath !== undefined && spec.network.mode !== 'container' && input.owner === undefined;
  return {
    ...(ownNetwork && { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }),
    ...(spec.domainname !== '' && spec.utsMode !== 'host' && { 'kernel.domainname': spec.domainname }),
    ...spec.sysctls,
  };
}
