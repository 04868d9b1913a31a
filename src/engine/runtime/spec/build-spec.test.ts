import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ContainerSpec } from '../container.ts';
import { buildSpec, encodeSpec, type SpecInput } from './build-spec.ts';
import { capabilityNames } from './capabilities.ts';
import type { RuntimeSpec } from './runtime-spec.ts';

const container: ContainerSpec = {
  imageId: `sha256:${'0'.repeat(64)}`,
  imageName: 'app',
  args: ['serve', '--fast'],
  env: ['A=1', 'PATH=/own'],
  cwd: '',
  user: '',
  additionalGroups: [],
  tty: false,
  openStdin: false,
  stdinOnce: false,
  hostname: 'ship',
  domainname: '',
  labels: {},
  stopSignal: '',
  stopTimeoutSeconds: 10,
  privileged: false,
  readOnlyRoot: false,
  capAdd: [],
  capDrop: [],
  securityOptions: [],
  limits: {},
  ulimits: [],
  sysctls: {},
  devices: [],
  shmSizeBytes: 1024,
  oomScoreAdj: 0,
  init: false,
  pidMode: '',
  ipcMode: '',
  utsMode: '',
  cgroupnsMode: '',
  cgroupParent: '',
  mounts: [],
  network: {
    mode: 'networks',
    endpoints: [],
    ports: [],
    dns: { servers: [], search: [], options: [] },
    extraHosts: [],
  },
  restart: { name: 'no', maximumRetryCount: 0 },
  autoRemove: false,
  log: { driver: 'json-file', options: {} },
  origin: undefined,
};

function specOf(change: Partial<ContainerSpec>, input: Partial<SpecInput> = {}): RuntimeSpec {
  return buildSpec({
    spec: { ...container, ...change },
    host: {
      arch: 'x64',
      kernel: [6, 1],
      cgroupVersion: 2,
      swapLimits: true,
      appArmor: false,
      capabilities: new Set(capabilityNames),
      hardLimits: {},
    },
    rootPath: '/root',
    user: { uid: 0, gid: 0, additionalGids: [0], home: '/root' },
    mounts: [],
    files: {},
    devices: { devices: [], rules: [{ allow: false, access: 'rwm' }] },
    netnsPath: '/run/netns/x',
    owner: undefined,
    cgroupsPath: '/slipway/id',
    initPath: undefined,
    sharedMemory: undefined,
    pidOf: (id) => (id === 'other' ? 77 : 0),
    ...input,
  });
}

function namespacesOf(spec: RuntimeSpec): Readonly<Record<string, string>> {
  return Object.fromEntries(spec.linux.namespaces.map(({ type, path }) => [type, path ?? 'new']));
}

test('a plain container is shut in', () => {
  const spec = specOf({});
  assert.deepEqual(spec.process.env, ['PATH=/own', 'HOSTNAME=ship', 'A=1', 'HOME=/root']);
  assert.deepEqual([spec.process.args, spec.process.cwd, spec.hostname], [['serve', '--fast'], '/', 'ship']);
  assert.equal(spec.process.noNewPrivileges, false);
  assert.deepEqual(namespacesOf(spec), {
    mount: 'new',
    pid: 'new',
    ipc: 'new',
    uts: 'new',
    network: '/run/netns/x',
    cgroup: 'new',
  });
  assert.equal(spec.process.capabilities?.bounding.length, 14);
  assert.ok(spec.linux.seccomp !== undefined);
  assert.ok(spec.linux.maskedPaths.includes('/proc/kcore') && spec.linux.readonlyPaths.includes('/proc/sys'));
  assert.deepEqual(spec.linux.resources.devices, [{ allow: false, access: 'rwm' }]);
  assert.equal(spec.linux.sysctl['net.ipv4.ip_unprivileged_port_start'], '0');
});

test('a privileged one is not', () => {
  const spec = specOf({ privileged: true });
  assert.equal(spec.linux.seccomp, undefined);
  assert.deepEqual([spec.linux.maskedPaths, spec.linux.readonlyPaths], [[], []]);
  assert.equal(spec.process.capabilities?.effective.length, capabilityNames.length);
  assert.equal(namespacesOf(spec)['cgroup'], undefined);
});

test('a user namespace of its own comes first, with its users, and leaves the network as it was made', () => {
  const ids = { uids: [{ inside: 0, outside: 100_000, count: 10 }], gids: [{ inside: 0, outside: 5, count: 1 }] };
  const owner = { path: '/run/user', ids, optionsOf: () => ['nosuid'] };
  const spec = specOf({ sysctls: { 'net.core.somaxconn': '9' } }, { owner, files: { '/etc/hosts': '/h' } });
  assert.equal(namespacesOf(spec)['user'], '/run/user');
  assert.deepEqual(spec.linux.uidMappings, [{ containerID: 0, hostID: 100_000, size: 10 }]);
  assert.deepEqual(spec.linux.gidMappings, [{ containerID: 0, hostID: 5, size: 1 }]);
  assert.deepEqual(spec.linux.sysctl, { 'net.core.somaxconn': '9' });
  assert.ok(spec.mounts.find(({ destination }) => destination === '/etc/hosts')?.options.includes('nosuid'));
  assert.equal(namespacesOf(specOf({}))['user'], undefined);
});

test('namespaces are shared as said', () => {
  const host = namespacesOf(
    specOf({ pidMode: 'host', ipcMode: 'host', utsMode: 'host', cgroupnsMode: 'host' }, { netnsPath: undefined }),
  );
  assert.deepEqual(host, { mount: 'new' });
  const joined = namespacesOf(specOf({ pidMode: 'container:other', ipcMode: 'container:other' }));
  assert.deepEqual([joined['pid'], joined['ipc']], ['/proc/77/ns/pid', '/proc/77/ns/ipc']);
  assert.equal(specOf({ utsMode: 'host' }).hostname, undefined);
  for (const change of [{ pidMode: 'shared' }, { utsMode: 'container:other' }, { ipcMode: 'container:' }])
    assert.throws(() => specOf(change), { reason: 'InvalidArgument' }, JSON.stringify(change));
});

test('security options are read', () => {
  assert.equal(specOf({ securityOptions: ['no-new-privileges'] }).process.noNewPrivileges, true);
  assert.equal(specOf({ securityOptions: ['no-new-privileges:false'] }).process.noNewPrivileges, false);
  assert.equal(specOf({ securityOptions: ['seccomp=unconfined'] }).linux.seccomp, undefined);
  const own = specOf({ privileged: true, securityOptions: ['seccomp={"defaultAction":"SCMP_ACT_LOG","syscalls":[]}'] });
  assert.equal(own.linux.seccomp?.defaultAction, 'SCMP_ACT_LOG');
  assert.deepEqual(specOf({ securityOptions: ['systempaths=unconfined'] }).linux.maskedPaths, []);
  assert.equal(specOf({ securityOptions: ['apparmor=unconfined'] }).process.apparmorProfile, undefined);
  specOf({ securityOptions: ['label=disable'] });
  for (const [option, reason] of [
    ['seccomp=', 'InvalidArgument'],
    ['apparmor=mine', 'InvalidArgument'],
    ['nonsense', 'InvalidArgument'],
    ['label=type:x', 'NotSupported'],
  ] as const)
    assert.throws(() => specOf({ securityOptions: [option] }), { reason }, option);
});

test('terminal, init, user, domain and paths show in the spec', () => {
  const user = { uid: 33, gid: 34, additionalGids: [34, 5], home: '/var/www' };
  const spec = specOf(
    { tty: true, cwd: '/srv', domainname: 'example.org', oomScoreAdj: 500, sysctls: { 'net.core.somaxconn': '9' } },
    { user, initPath: '/usr/bin/tini' },
  );
  assert.deepEqual(spec.process.user, { uid: 33, gid: 34, additionalGids: [34, 5] });
  assert.deepEqual(spec.process.args, ['/sbin/docker-init', '--', 'serve', '--fast']);
  assert.ok(spec.process.terminal && spec.process.env.includes('TERM=xterm'));
  assert.ok(spec.process.env.includes('HOME=/var/www'));
  assert.deepEqual([spec.process.cwd, spec.process.oomScoreAdj], ['/srv', 500]);
  assert.equal(spec.linux.sysctl['kernel.domainname'], 'example.org');
  assert.equal(spec.linux.sysctl['net.core.somaxconn'], '9');
  assert.ok(spec.mounts.some((mount) => mount.destination === '/sbin/docker-init'));
  assert.deepEqual(specOf({ maskedPaths: ['/x'], readonlyPaths: [] }).linux.maskedPaths, ['/x']);
});

test('environment variables are overridden and taken away', () => {
  const { env } = specOf({ env: ['HOSTNAME', 'HOME=/own', 'A=1', 'A=2', 'E='] }).process;
  assert.deepEqual(env, [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/own',
    'A=2',
    'E=',
  ]);
});

test('an infinite limit is written exactly', () => {
  const text = encodeSpec(specOf({ ulimits: [{ name: 'core', soft: 0, hard: -1 }] }));
  assert.match(text, /"soft":0,"hard":18446744073709551615/);
  assert.equal((JSON.parse(text) as { ociVersion: string }).ociVersion, '1.0.2');
});
