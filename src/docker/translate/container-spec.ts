import { posix } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import type { LogConfig } from '#engine/logs/log-config.ts';
import type { ContainerSpec, DeviceRequest } from '#engine/runtime/container.ts';
import type { RuntimeName } from '#engine/runtime/oci-runtimes.ts';
import type { HostFacts } from '#engine/runtime/spec/host-facts.ts';
import { parseSecurityOptions } from '#engine/runtime/spec/security-options.ts';
import { ulimitWarnings } from '#engine/runtime/spec/ulimits.ts';
import type { Digest, HealthcheckConfig, ImageDefaults } from '#formats/oci.ts';

import type { Config } from './config-fields.ts';
import { configFields } from './config-fields.ts';
import type { CreateRequest } from './create-request.ts';
import { checkRefusals } from './field.ts';
import type { HostConfig } from './host-config-fields.ts';
import { hostConfigFields } from './host-config-fields.ts';
import { mergeImageDefaults } from './image-defaults.ts';
import { resourceLimits, restartPolicy, ulimits } from './limits.ts';
import { logConfig } from './log-config.ts';
import { mountRequests } from './mounts.ts';
import type { NetworkWorld } from './network-request.ts';
import { networkRequest, sharedContainer } from './network-request.ts';
import type { DockerOrigin } from './origin.ts';
import { checkSignal } from './stop-signal.ts';

const defaultShmBytes = 64 * 1024 * 1024;
const defaultStopSeconds = 10;
const minimumHealthNs = 1_000_000;

/** What a create request is translated against: the machine as it is now. */
export interface World extends NetworkWorld {
  readonly image: { readonly id: Digest; readonly defaults: ImageDefaults };
  readonly cpus: number;
  /** The daemon's own log driver and options. */
  readonly defaultLog: LogConfig;
  /** The machine's own name. */
  readonly hostname: string;
  readonly runtimes: Engine['runtimes'];
  readonly facts: Pick<HostFacts, 'hardLimits' | 'cgroupVersion' | 'swapLimits'>;
}

export interface Translation {
  readonly spec: ContainerSpec;
  readonly warnings: readonly string[];
}

/**
 * Translates the body of POST /containers/create, with the image's defaults merged in. Throws InvalidArgument for what
 * makes no sense, NotSupported for what we would have to ignore, NotFound for other containers and networks.
 */
export function containerSpec(request: CreateRequest, world: World): Translation {
  const { HostConfig: host = {}, NetworkingConfig: networking = {}, ...own } = request;
  checkRefusals(configFields, own, 'Config');
  checkRefusals(hostConfigFields, host, 'HostConfig');
  const config = mergeImageDefaults(own, world.image.defaults);
  checkConsistency(config, host);
  const endpoints = networking.EndpointsConfig ?? {};
  const origin: DockerOrigin = { face: 'docker', config, hostConfig: host };
  const spec: ContainerSpec = {
    imageId: world.image.id,
    imageName: own.Image ?? '',
    ...processOf(config, host),
    ...isolationOf(host, world),
    runtime: runtimeOf(host.Runtime ?? '', world),
    hostname: hostnameOf(config, host, world),
    domainname: config.Domainname ?? '',
    labels: config.Labels ?? {},
    limits: resourceLimits(host, world.cpus),
    ulimits: ulimits(host),
    sysctls: host.Sysctls ?? {},
    devices: (host.Devices ?? []).map(deviceRequest),
    ...((host.DeviceCgroupRules ?? []).length > 0 && { deviceRules: host.DeviceCgroupRules }),
    ...(host.Annotations !== undefined && { annotations: checkedAnnotations(host.Annotations) }),
    shmSizeBytes: shmSize(host),
    mounts: mountRequests(host, config.Volumes ?? {}, (name) => world.container(name)),
    network: networkRequest(config, host, endpoints, world),
    restart: restartPolicy(host.RestartPolicy ?? {}),
    autoRemove: host.AutoRemove ?? false,
    ...healthcheckOf(config),
    log: logConfig(host.LogConfig ?? {}, world.defaultLog),
    origin,
  };
  return { spec, warnings: warningsOf(config, host, spec, world.facts) };
}

function processOf(
  config: Config,
  host: HostConfig,
): Pick<
  ContainerSpec,
  | 'args'
  | 'env'
  | 'cwd'
  | 'user'
  | 'additionalGroups'
  | 'tty'
  | 'openStdin'
  | 'stdinOnce'
  | 'stopSignal'
  | 'stopTimeoutSeconds'
  | 'oomScoreAdj'
  | 'init'
> {
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length === 0) throw new StatusError('InvalidArgument', 'no command specified');
  const oomScoreAdj = host.OomScoreAdj ?? 0;
  if (oomScoreAdj < -1000 || oomScoreAdj > 1000) {
    throw new StatusError('InvalidArgument', 'HostConfig.OomScoreAdj: must be from -1000 to 1000');
  }
  return {
    args,
    // A name without "=" says that the variable shall not be there.
    env: (config.Env ?? []).filter((entry) => entry.includes('=')),
    cwd: workingDirectory(config.WorkingDir ?? ''),
    user: config.User ?? '',
    additionalGroups: host.GroupAdd ?? [],
    tty: config.Tty ?? false,
    openStdin: config.OpenStdin ?? false,
    stdinOnce: config.StdinOnce ?? false,
    stopSignal: (config.StopSignal ?? '') === '' ? '' : checkSignal(config.StopSignal ?? ''),
    stopTimeoutSeconds: config.StopTimeout ?? defaultStopSeconds,
    oomScoreAdj,
    init: host.Init ?? false,
  };
}

function isolationOf(
  host: HostConfig,
  world: World,
): Pick<
  ContainerSpec,
  | 'privileged'
  | 'readOnlyRoot'
  | 'capAdd'
  | 'capDrop'
  | 'securityOptions'
  | 'maskedPaths'
  | 'readonlyPaths'
  | 'pidMode'
  | 'ipcMode'
  | 'utsMode'
  | 'usernsMode'
  | 'cgroupnsMode'
  | 'cgroupParent'
> {
  return {
    privileged: host.Privileged ?? false,
    readOnlyRoot: host.ReadonlyRootfs ?? false,
    capAdd: host.CapAdd ?? [],
    capDrop: host.CapDrop ?? [],
    securityOptions: checkedSecurityOptions(host.SecurityOpt ?? []),
    ...(host.MaskedPaths !== undefined && { maskedPaths: host.MaskedPaths }),
    ...(host.ReadonlyPaths !== undefined && { readonlyPaths: host.ReadonlyPaths }),
    pidMode: namespaceMode('PidMode', host.PidMode ?? '', ['host'], world),
    ipcMode: namespaceMode('IpcMode', host.IpcMode ?? '', ['none', 'private', 'shareable', 'host'], world),
    utsMode: namespaceMode('UTSMode', host.UTSMode ?? '', ['host'], undefined),
    ...(namespaceMode('UsernsMode', host.UsernsMode ?? '', ['host'], undefined) === 'host' && { usernsMode: 'host' }),
    cgroupnsMode: namespaceMode('CgroupnsMode', host.CgroupnsMode ?? '', ['host', 'private'], undefined),
    cgroupParent: host.CgroupParent ?? '',
  };
}

/** Docker's other name of runc is its shim's. */
const shim = 'io.containerd.runc.v2';

function runtimeOf(wanted: string, { runtimes }: World): RuntimeName {
  const name = wanted === shim ? 'runc' : wanted || runtimes.default;
  const found = runtimes.names.find((known) => known === name);
  if (found === undefined) throw new StatusError('InvalidArgument', `unknown or invalid runtime name: ${wanted}`);
  return found;
}

/** One of `words`, '' or, where a world is given, `container:<name>` with the name resolved to an ID. */
function namespaceMode(field: string, mode: string, words: readonly string[], world: World | undefined): string {
  if (mode === '' || words.includes(mode)) return mode;
  if (world !== undefined && mode.startsWith('container:')) return `container:${sharedContainer(mode, world).id}`;
  throw new StatusError('InvalidArgument', `HostConfig.${field}: invalid mode "${mode}"`);
}

/** Whoever shares a network shares the name in it; '' lets the engine choose. */
function hostnameOf(config: Config, host: HostConfig, world: World): string {
  const own = config.Hostname ?? '';
  const mode = host.NetworkMode ?? '';
  if (own !== '') return own;
  if (mode === 'host' || host.UTSMode === 'host') return world.hostname;
  return mode.startsWith('container:') ? sharedContainer(mode, world).spec.hostname : '';
}

/** What would fail at start fails at create. */
function checkedSecurityOptions(options: readonly string[]): readonly string[] {
  parseSecurityOptions(options);
  return options;
}

/** The runtime writes them into its state; a name is what tools find them by. */
function checkedAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if ('' in annotations) throw new StatusError('InvalidArgument', 'invalid Annotations: an annotation has no name');
  return annotations;
}

function checkConsistency(config: Config, host: HostConfig): void {
  const restart = host.RestartPolicy?.Name ?? '';
  if (host.AutoRemove === true && restart !== '' && restart !== 'no') {
    throw new StatusError('InvalidArgument', `can't create 'AutoRemove' container with restart policy`);
  }
  if (host.UTSMode === 'host' && (config.Hostname ?? '') !== '') {
    throw new StatusError('InvalidArgument', 'conflicting options: hostname and the UTS mode');
  }
  const hostname = config.Hostname ?? '';
  if (hostname !== '' && !/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?$/.test(hostname)) {
    throw new StatusError('InvalidArgument', `invalid hostname format: ${hostname}`);
  }
  const badEnv = (config.Env ?? []).find((entry) => entry === '' || entry.startsWith('=') || entry.includes('\0'));
  if (badEnv !== undefined) {
    throw new StatusError('InvalidArgument', `invalid environment variable: ${JSON.stringify(badEnv)}`);
  }
}

function workingDirectory(path: string): string {
  if (path === '') return '/';
  if (!path.startsWith('/')) {
    const rule = 'it must be an absolute path';
    throw new StatusError('InvalidArgument', `the working directory '${path}' is invalid, ${rule}`);
  }
  return posix.normalize(path).replace(/(?<=.)\/$/, '');
}

function deviceRequest(device: NonNullable<HostConfig['Devices']>[number]): DeviceRequest {
  const { PathOnHost = '', PathInContainer = '', CgroupPermissions = '' } = device;
  const permissions = CgroupPermissions || 'rwm';
  const containerPath = PathInContainer || PathOnHost;
  if (!PathOnHost.startsWith('/') || !containerPath.startsWith('/') || !/^[rwm]{1,3}$/.test(permissions)) {
    throw new StatusError('InvalidArgument', `invalid device specification: ${JSON.stringify(device)}`);
  }
  return { hostPath: posix.normalize(PathOnHost), containerPath: posix.normalize(containerPath), permissions };
}

function shmSize(host: HostConfig): number {
  const bytes = host.ShmSize ?? 0;
  if (bytes < 0) throw new StatusError('InvalidArgument', 'SHM size can not be less than 0');
  return bytes === 0 ? defaultShmBytes : bytes;
}

function healthcheckOf(config: Config): { readonly healthcheck?: HealthcheckConfig } {
  const { Healthcheck: check } = config;
  if (check === undefined) return {};
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = check[name] ?? 0;
    if (value !== 0 && value < minimumHealthNs) {
      throw new StatusError('InvalidArgument', `${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((check.Retries ?? 0) < 0) {
    throw new StatusError('InvalidArgument', 'Retries in Healthcheck cannot be negative');
  }
  const [kind = '', ...command] = check.Test ?? [];
  if (!['', 'NONE', 'CMD', 'CMD-SHELL'].includes(kind)) {
    throw new StatusError('InvalidArgument', `Unknown type '${kind}' in HEALTHCHECK (try CMD)`);
  }
  const shell = config.Shell ?? [];
  if (kind !== 'CMD-SHELL' || shell.length === 0) return { healthcheck: check };
  return { healthcheck: { ...check, Test: ['CMD', ...shell, ...command] } };
}

/** What was asked for and will be otherwise, as far as the machine's abilities and the request itself tell. */
function warningsOf(config: Config, host: HostConfig, spec: ContainerSpec, facts: World['facts']): readonly string[] {
  const warnings = [...ulimitWarnings(spec.ulimits, facts.hardLimits)];
  const lacks = (what: string): void => {
    warnings.push(`Your kernel does not support ${what}. It is discarded.`);
  };
  if ((host.MemorySwappiness ?? -1) >= 0 && facts.cgroupVersion === 2) lacks('memory swappiness of control groups');
  if (host.OomKillDisable === true && facts.cgroupVersion === 2) lacks('OomKillDisable');
  if ((host.MemorySwap ?? 0) > 0 && !facts.swapLimits) lacks('limits of swap');
  const publishes = Object.values(host.PortBindings ?? {}).some((bindings) => bindings.length > 0);
  if (host.NetworkMode === 'host' && (publishes || host.PublishAllPorts === true)) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  if (host.OomKillDisable === true && (host.Memory ?? 0) === 0) {
    warnings.push(
      'The OOM killer is disabled without a memory limit: the container can take all memory of this machine.',
    );
  }
  if (config.NetworkDisabled === true && publishes) warnings.push('Published ports are discarded without a network');
  return warnings;
}
