import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, hostname, machine, release, totalmem } from 'node:os';

import { nowNs } from '#base/clock.ts';
import { logDrivers } from '#engine/logs/log-config.ts';

import type { Context } from '../context.ts';
import { nsToIso } from '../text/timestamp.ts';

/** GET /info. */
export function systemInfo({ engine, versionInfo }: Context): object {
  const containers = engine.containers.list();
  const count = (...statuses: readonly string[]): number =>
    containers.filter(({ state }) => statuses.includes(state.status)).length;
  return {
    ID: readText('/etc/machine-id').trim(),
    Name: hostname(),
    ServerVersion: versionInfo.version,
    Containers: containers.length,
    ContainersRunning: count('running', 'restarting'),
    ContainersPaused: count('paused'),
    ContainersStopped: count('created', 'exited', 'dead', 'removing'),
    Images: engine.images.list().length,
    SystemTime: nsToIso(nowNs()),
    DockerRootDir: engine.options.dataDir,
    ...hostFacts(),
    ...features(),
    SecurityOptions: ['name=seccomp,profile=builtin', ...(engine.options.usernsRemap === '' ? [] : ['name=userns'])],
    LoggingDriver: engine.options.defaultLog.driver,
    Runtimes: Object.fromEntries(
      engine.runtimes.names.map((name) => [name, { path: engine.options.runtimes.paths[name] ?? name }]),
    ),
    DefaultRuntime: engine.runtimes.default,
    RegistryConfig: {
      InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'],
      IndexConfigs: {
        'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true },
        ...Object.fromEntries(engine.options.insecureRegistries.map(insecureRegistry)),
      },
      Mirrors: [],
    },
    HttpProxy: maskedProxy(engine.options.proxy.HTTP_PROXY),
    HttpsProxy: maskedProxy(engine.options.proxy.HTTPS_PROXY),
    NoProxy: engine.options.proxy.NO_PROXY,
    DefaultAddressPools: engine.options.addressPools.map(({ base, size }) => ({ Base: base, Size: size })),
  };
}

function hostFacts(): object {
  const operatingSystem = osRelease();
  return {
    KernelVersion: release(),
    OperatingSystem: operatingSystem['PRETTY_NAME'] ?? 'Linux',
    OSVersion: operatingSystem['VERSION_ID'] ?? '',
    OSType: 'linux',
    Architecture: machine(),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    CgroupDriver: 'cgroupfs',
    CgroupVersion: existsSync('/sys/fs/cgroup/cgroup.controllers') ? '2' : '1',
    IPv4Forwarding: readText('/proc/sys/net/ipv4/ip_forward').trim() === '1',
  };
}

function features(): object {
  return {
    Driver: 'overlay2',
    DriverStatus: [
      ['Backing Filesystem', 'overlayfs'],
      ['Supports d_type', 'true'],
    ],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'none'],
      Authorization: null,
      Log: logDrivers.filter((name) => name !== 'none').toSorted(),
    },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    OomKillDisable: true,
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    NEventsListener: 0,
    IndexServerAddress: 'https://index.docker.io/v1/',
    GenericResources: null,
    Labels: [],
    ExperimentalBuild: false,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    // Containers always outlive the daemon.
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: '',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    FirewallBackend: { Driver: 'nftables' },
    Warnings: null,
    CDISpecDirs: [],
  };
}

function insecureRegistry(name: string): readonly [string, object] {
  return [name, { Name: name, Mirrors: [], Secure: false, Official: false }];
}

/** os-release(5). */
function osRelease(): Readonly<Record<string, string>> {
  const pairs = readText('/etc/os-release')
    .split('\n')
    .map((line) => /^(\w+)="?(.*?)"?$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => [match[1], match[2]]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** As Docker shows a proxy that has a name and a password. */
function maskedProxy(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1xxxxx:xxxxx@');
}
