import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import type { Container, ContainerSpec } from '#engine/runtime/container.ts';
import type { Config } from './config-fields.ts';
import { configFields } from './config-fields.ts';
import { containerSpec } from './container-spec.ts';
import type { World } from './container-spec.ts';
import type { CreateRequest } from './create-request.ts';
import { createRequest } from './create-request.ts';
import type { HostConfig } from './host-config-fields.ts';
import { hostConfigFields } from './host-config-fields.ts';
import { shownConfig, shownHostConfig } from './origin.ts';

const mib = 1024 * 1024;

const world: World = {
  image: { id: `sha256:${'a'.repeat(64)}`, defaults: { Cmd: ['serve'], Env: ['PATH=/bin'] } },
  cpus: 4,
  defaultLog: { driver: 'json-file', options: {} },
  hostname: 'machine',
  runtimes: { default: 'crun', names: ['crun', 'runc'] },
  facts: { hardLimits: { nofile: 4096 }, cgroupVersion: 2, swapLimits: false },
  container: () =>
    ({
      id: 'c'.repeat(64),
      spec: { hostname: 'peer', mounts: [], network: { mode: 'networks' } },
      mounts: [{ type: 'volume', name: 'v', source: '/v', destination: '/v', readOnly: false, propagation: '' }],
    }) as unknown as Container,
  network: (name) => ({ id: `id-${name}`, name }),
};

function specOf(request: CreateRequest): ContainerSpec {
  return containerSpec({ Image: 'app', ...request }, world).spec;
}

/** Everything of a spec that the engine acts on. */
function effective(spec: ContainerSpec): string {
  return JSON.stringify({ ...spec, origin: undefined });
}

/** A value for every field that is mapped, which must change what the engine is told. */
const configSamples: Readonly<Record<string, Config>> = {
  Hostname: { Hostname: 'h' },
  Domainname: { Domainname: 'd' },
  User: { User: '5' },
  ExposedPorts: { ExposedPorts: { '80/tcp': {} } },
  Tty: { Tty: true },
  OpenStdin: { OpenStdin: true },
  StdinOnce: { StdinOnce: true },
  Env: { Env: ['A=b'] },
  Cmd: { Cmd: ['x'] },
  Healthcheck: { Healthcheck: { Test: ['CMD', 'x'] } },
  Image: { Image: 'other' },
  Volumes: { Volumes: { '/v': {} } },
  WorkingDir: { WorkingDir: '/w' },
  Entrypoint: { Entrypoint: ['/e'] },
  NetworkDisabled: { NetworkDisabled: true },
  MacAddress: { MacAddress: '02:00:00:00:00:01' },
  Labels: { Labels: { a: 'b' } },
  StopSignal: { StopSignal: 'SIGINT' },
  StopTimeout: { StopTimeout: 3 },
};

/** Fields that are shown and mean nothing more, in Docker too. */
const shownOnly = ['AttachStdin', 'AttachStdout', 'AttachStderr', 'OnBuild', 'Shell', 'ContainerIDFile', 'ConsoleSize'];

const hostSamples: Readonly<Record<string, HostConfig>> = {
  Binds: { Binds: ['/a:/b'] },
  LogConfig: { LogConfig: { Type: 'local' } },
  NetworkMode: { NetworkMode: 'boards' },
  PortBindings: { PortBindings: { '80/tcp': [{}] } },
  RestartPolicy: { RestartPolicy: { Name: 'always' } },
  AutoRemove: { AutoRemove: true },
  VolumesFrom: { VolumesFrom: ['x'] },
  CapAdd: { CapAdd: ['NET_ADMIN'] },
  CapDrop: { CapDrop: ['ALL'] },
  CgroupnsMode: { CgroupnsMode: 'private' },
  Dns: { Dns: ['1.1.1.1'] },
  DnsOptions: { DnsOptions: ['ndots:1'] },
  DnsSearch: { DnsSearch: ['lan'] },
  ExtraHosts: { ExtraHosts: ['a:1.1.1.1'] },
  GroupAdd: { GroupAdd: ['staff'] },
  IpcMode: { IpcMode: 'host' },
  OomScoreAdj: { OomScoreAdj: 5 },
  PidMode: { PidMode: 'container:x' },
  Privileged: { Privileged: true },
  PublishAllPorts: { PublishAllPorts: true },
  ReadonlyRootfs: { ReadonlyRootfs: true },
  SecurityOpt: { SecurityOpt: ['no-new-privileges'] },
  Tmpfs: { Tmpfs: { '/t': '' } },
  UTSMode: { UTSMode: 'host' },
  UsernsMode: { UsernsMode: 'host' },
  ShmSize: { ShmSize: 5 },
  Sysctls: { Sysctls: { 'net.core.somaxconn': '5' } },
  Mounts: { Mounts: [{ Type: 'tmpfs', Target: '/t' }] },
  MaskedPaths: { MaskedPaths: [] },
  ReadonlyPaths: { ReadonlyPaths: [] },
  Init: { Init: true },
  CpuShares: { CpuShares: 5 },
  Memory: { Memory: 64 * mib },
  NanoCpus: { NanoCpus: 1e9 },
  CgroupParent: { CgroupParent: '/p' },
  BlkioWeight: { BlkioWeight: 10 },
  BlkioWeightDevice: { BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 50 }] },
  BlkioDeviceReadBps: { BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 5 }] },
  BlkioDeviceWriteBps: { BlkioDeviceWriteBps: [{ Path: '/dev/sda', Rate: 5 }] },
  BlkioDeviceReadIOps: { BlkioDeviceReadIOps: [{ Path: '/dev/sda', Rate: 5 }] },
  BlkioDeviceWriteIOps: { BlkioDeviceWriteIOps: [{ Path: '/dev/sda', Rate: 5 }] },
  DeviceCgroupRules: { DeviceCgroupRules: ['c 1:3 rwm'] },
  Annotations: { Annotations: { a: 'b' } },
  CpuPeriod: { CpuPeriod: 5000 },
  CpuQuota: { CpuQuota: 5000 },
  CpusetCpus: { CpusetCpus: '0' },
  CpusetMems: { CpusetMems: '0' },
  Devices: { Devices: [{ PathOnHost: '/dev/null' }] },
  MemoryReservation: { MemoryReservation: 5 },
  MemorySwap: { MemorySwap: -1 },
  MemorySwappiness: { MemorySwappiness: 5 },
  OomKillDisable: { OomKillDisable: true },
  Runtime: { Runtime: 'runc' },
  PidsLimit: { PidsLimit: 5 },
  Links: { Links: ['peer:db'] },
  Ulimits: { Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1 }] },
};

/** What a client may send that changes nothing, and what is refused. */
const refusedSamples: Readonly<Record<string, readonly [unknown, unknown]>> = {
  ArgsEscaped: [false, true],
  CpuRealtimePeriod: [0, 5],
  CpuRealtimeRuntime: [0, 5],
  DeviceRequests: [[], [{ Driver: 'nvidia', Count: -1 }]],
  KernelMemory: [0, 5],
  KernelMemoryTCP: [0, 5],
  CpuCount: [0, 5],
  CpuPercent: [0, 5],
  IOMaximumIOps: [0, 5],
  IOMaximumBandwidth: [0, 5],
  VolumeDriver: ['local', 'nfs'],
  Cgroup: ['', 'container:x'],
  StorageOpt: [{}, { size: '5G' }],
  Isolation: ['default', 'hyperv'],
};

/** HostConfig and Resources of moby's api/types/container at API 1.51. */
const hostConfigOfApi = `Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver
  VolumesFrom ConsoleSize Annotations CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode
  Cgroup Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode
  UsernsMode ShmSize Sysctls Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice
  BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod
  CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests KernelMemory KernelMemoryTCP
  MemoryReservation MemorySwap MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps
  IOMaximumBandwidth Mounts MaskedPaths ReadonlyPaths Init`.split(/\s+/);
const configOfApi = `Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce
  Env Cmd Healthcheck ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled MacAddress OnBuild Labels
  StopSignal StopTimeout Shell`.split(/\s+/);

describe('every field of the API', () => {
  test('is in the tables', () => {
    assert.deepEqual(Object.keys(hostConfigFields).sort(), hostConfigOfApi.sort());
    assert.deepEqual(Object.keys(configFields).sort(), configOfApi.sort());
  });

  test('has an effect, is refused, or is shown only', () => {
    const handled = [...Object.keys(configSamples), ...Object.keys(hostSamples), ...Object.keys(refusedSamples)];
    assert.deepEqual([...handled, ...shownOnly].sort(), [...hostConfigOfApi, ...configOfApi].sort());
  });

  // Exposing a port alone tells the engine nothing: with -P it publishes, which the sample of PublishAllPorts shows.
  const base: CreateRequest = { HostConfig: { PublishAllPorts: true, UTSMode: '' } };
  for (const [name, sample] of Object.entries(configSamples)) {
    test(`Config.${name} has an effect`, () =>
      assert.notEqual(effective(specOf({ ...base, ...sample })), effective(specOf(base))));
  }

  for (const [name, sample] of Object.entries(hostSamples)) {
    test(`HostConfig.${name} has an effect`, () => {
      const exposed: CreateRequest = { ExposedPorts: { '80/tcp': {} } };
      const changed = specOf({ ...exposed, HostConfig: sample });
      assert.notEqual(effective(changed), effective(specOf({ ...exposed, HostConfig: {} })));
    });
  }

  for (const [name, [harmless, meant]] of Object.entries(refusedSamples)) {
    test(`${name} is refused unless it changes nothing`, () => {
      const request = (value: unknown): CreateRequest =>
        createRequest(name in configFields ? { [name]: value } : { HostConfig: { [name]: value } }, '');
      assert.equal(effective(specOf(request(harmless))), effective(specOf({})));
      assert.throws(
        () => specOf(request(meant)),
        (error: unknown) => {
          assert.ok(error instanceof StatusError);
          assert.equal(error.reason, 'NotSupported');
          assert.match(error.message, new RegExp(`^Cannot honour (Host)?Config\\.${name} `));
          return true;
        },
      );
    });
  }

  for (const name of shownOnly) {
    test(`${name} is shown`, () => {
      const values: Readonly<Record<string, unknown>> = {
        OnBuild: ['RUN x'],
        Shell: ['sh'],
        ContainerIDFile: '/f',
        ConsoleSize: [24, 80],
      };
      const value = values[name] ?? true;
      const inConfig = name in configFields;
      const spec = specOf(createRequest(inConfig ? { [name]: value } : { HostConfig: { [name]: value } }, ''));
      assert.deepEqual((inConfig ? shownConfig(spec, 'x'.repeat(64)) : shownHostConfig(spec))[name], value);
    });
  }
});

describe('a whole request', () => {
  test('as `docker run -d --name web -p 80:5000 -v data:/d -e A=b --memory 64m app` sends it', () => {
    const spec = specOf(
      createRequest(
        {
          Image: 'app',
          Env: ['A=b'],
          Cmd: null,
          Entrypoint: null,
          ExposedPorts: { '5000/tcp': {} },
          AttachStdout: false,
          HostConfig: {
            Binds: ['data:/d'],
            NetworkMode: 'bridge',
            PortBindings: { '5000/tcp': [{ HostIp: '', HostPort: '80' }] },
            RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
            LogConfig: { Type: '', Config: {} },
            Memory: 64 * mib,
            ConsoleSize: [0, 0],
            MemorySwappiness: -1,
            MaskedPaths: null,
            BlkioWeightDevice: [],
            DeviceRequests: null,
          },
          NetworkingConfig: { EndpointsConfig: { default: {} } },
        },
        '',
      ),
    );
    const { origin: _, ...rest } = spec;
    assert.deepEqual(rest, {
      imageId: world.image.id,
      imageName: 'app',
      args: ['serve'],
      env: ['A=b', 'PATH=/bin'],
      cwd: '/',
      user: '',
      additionalGroups: [],
      tty: false,
      openStdin: false,
      stdinOnce: false,
      stopSignal: '',
      stopTimeoutSeconds: 10,
      oomScoreAdj: 0,
      init: false,
      runtime: 'crun',
      privileged: false,
      readOnlyRoot: false,
      capAdd: [],
      capDrop: [],
      securityOptions: [],
      pidMode: '',
      ipcMode: '',
      utsMode: '',
      cgroupnsMode: '',
      cgroupParent: '',
      hostname: '',
      domainname: '',
      labels: {},
      limits: { memoryBytes: 64 * mib, memorySwapBytes: 128 * mib },
      ulimits: [],
      sysctls: {},
      devices: [],
      shmSizeBytes: 64 * mib,
      mounts: [{ type: 'volume', source: 'data', target: '/d', readOnly: false }],
      network: {
        mode: 'networks',
        endpoints: [{ network: 'bridge' }],
        ports: [{ containerPort: 5000, protocol: 'tcp', hostIp: '', hostPort: 80, hostPortEnd: 80 }],
        dns: { servers: [], search: [], options: [] },
        extraHosts: [],
        exposed: [{ containerPort: 5000, protocol: 'tcp' }],
      },
      restart: { name: 'no', maximumRetryCount: 0 },
      autoRemove: false,
      log: { driver: 'json-file', options: {} },
    });
  });

  test('whoever shares a network has the name in it', () => {
    const hostname = (HostConfig: HostConfig): string => specOf({ HostConfig }).hostname;
    assert.equal(hostname({}), '');
    assert.equal(hostname({ NetworkMode: 'host' }), 'machine');
    assert.equal(hostname({ UTSMode: 'host' }), 'machine');
    assert.equal(hostname({ NetworkMode: 'container:x' }), 'peer');
    assert.equal(specOf({ Hostname: 'own', HostConfig: { NetworkMode: 'host' } }).hostname, 'own');
  });

  test('a shell-form health check runs in the shell that is named', () => {
    const Healthcheck = { Test: ['CMD-SHELL', 'probe x'] };
    assert.deepEqual(specOf({ Healthcheck }).healthcheck, Healthcheck);
    const spec = specOf({ Healthcheck, Shell: ['/bin/bash', '-ec'] });
    assert.deepEqual(spec.healthcheck, { Test: ['CMD', '/bin/bash', '-ec', 'probe x'] });
    assert.deepEqual(shownConfig(spec, 'f'.repeat(64))['Healthcheck'], Healthcheck);
  });

  test('survives being written down and read again', () => {
    const spec = specOf({ Cmd: ['x'], HostConfig: { NanoCpus: 1e9, Dns: ['1.1.1.1'] } });
    const again = JSON.parse(JSON.stringify(spec)) as ContainerSpec;
    assert.deepEqual(shownHostConfig(again), shownHostConfig(spec));
    assert.equal(shownHostConfig(again)['NanoCpus'], 1e9);
    assert.deepEqual(shownHostConfig(again)['Dns'], ['1.1.1.1']);
    assert.deepEqual(shownConfig(again, 'f'.repeat(64))['Hostname'], 'f'.repeat(12));
  });

  test('an update shows in the echo', () => {
    const spec = specOf({ HostConfig: { NanoCpus: 1e9 } });
    const updated = { ...spec, limits: { cpuPeriodUs: 100_000, cpuQuotaUs: 50_000, memoryBytes: 8 * mib } };
    const { NanoCpus, CpuQuota, Memory } = shownHostConfig(updated);
    assert.deepEqual([NanoCpus, CpuQuota, Memory], [5e8, 0, 8 * mib]);
  });

  test('a container that another face made is shown by its spec', () => {
    const spec = { ...specOf({ Cmd: ['x'], Tty: true }), origin: undefined };
    assert.equal(shownConfig(spec, 'f'.repeat(64))['Tty'], true);
    assert.equal(shownHostConfig(spec)['NetworkMode'], 'bridge');
  });

  test('warns where an option has no effect', () => {
    const host: HostConfig = { NetworkMode: 'host', PortBindings: { '80/tcp': [{}] }, OomKillDisable: true };
    const { warnings } = containerSpec({ Image: 'app', HostConfig: host }, world);
    assert.match(warnings[0] ?? '', /does not support OomKillDisable/);
    assert.equal(warnings[1], 'Published ports are discarded when using host network mode');
    assert.equal(warnings.length, 3);
    const limits: HostConfig = { Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 5000 }], MemorySwappiness: 5 };
    const lowered = containerSpec({ Image: 'app', HostConfig: limits }, world).warnings;
    assert.match(lowered[0] ?? '', /ulimit nofile is 4096 instead of 5000/);
    assert.match(lowered[1] ?? '', /memory swappiness/);
    assert.deepEqual(containerSpec({ Image: 'app' }, world).warnings, []);
  });

  const wrong: readonly (readonly [string, CreateRequest, RegExp])[] = [
    ['no command', { Entrypoint: [''] }, /no command specified/],
    ['a relative folder', { WorkingDir: 'x' }, /working directory 'x' is invalid/],
    ['an unknown signal', { StopSignal: 'SIGNOPE' }, /Invalid signal: SIGNOPE/],
    ['a bad hostname', { Hostname: '-x' }, /invalid hostname format: -x/],
    ['an empty variable', { Env: ['=x'] }, /invalid environment variable: "=x"/],
    ['a hostname in the host UTS', { Hostname: 'x', HostConfig: { UTSMode: 'host' } }, /hostname and the UTS mode/],
    [
      'restart and remove',
      { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } },
      /can't create 'AutoRemove' container/,
    ],
    ['a fast health check', { Healthcheck: { Interval: 3 } }, /Interval in Healthcheck cannot be less than 1ms/],
    ['an unknown health check', { Healthcheck: { Test: ['PING'] } }, /Unknown type 'PING' in HEALTHCHECK/],
    ['negative retries', { Healthcheck: { Retries: -1 } }, /Retries in Healthcheck cannot be negative/],
    ['negative shm', { HostConfig: { ShmSize: -1 } }, /SHM size/],
    ['a score out of range', { HostConfig: { OomScoreAdj: 1001 } }, /OomScoreAdj/],
    ['a relative device', { HostConfig: { Devices: [{ PathOnHost: 'null' }] } }, /invalid device specification/],
    ['an unknown mode', { HostConfig: { PidMode: 'mine' } }, /HostConfig\.PidMode: invalid mode "mine"/],
    ['an unknown security option', { HostConfig: { SecurityOpt: ['purple'] } }, /invalid --security-opt/],
    ['a log size', { HostConfig: { LogConfig: { Config: { 'max-size': 'huge' } } } }, /invalid size: 'huge'/],
  ];
  for (const [name, request, message] of wrong) {
    test(`refuses ${name}`, () => assert.throws(() => specOf(request), { reason: 'InvalidArgument', message }));
  }

  test('refuses log drivers that are not there', () => {
    assert.throws(() => specOf({ HostConfig: { LogConfig: { Type: 'awslogs' } } }), {
      reason: 'NotSupported',
      message: /Cannot log by the driver "awslogs"/,
    });
  });
});
