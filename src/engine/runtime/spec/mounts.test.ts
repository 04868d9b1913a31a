import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keepLocked, type MountInput, type ResolvedMount, rootPropagation, runtimeMounts } from './mounts.ts';

const plain: MountInput = {
  spec: { privileged: false, readOnlyRoot: false, shmSizeBytes: 67_108_864, ipcMode: '' },
  mounts: [],
  files: {},
  initPath: undefined,
  writableCgroups: false,
  readOnlyOption: 'rro',
  sharedMemory: undefined,
};

const bind = (target: string, change: Partial<ResolvedMount & { type: 'bind' }> = {}): ResolvedMount => ({
  type: 'bind',
  source: `/host${target}`,
  target,
  readOnly: false,
  propagation: '',
  ...change,
});

function targets(input: Partial<MountInput>): readonly string[] {
  return runtimeMounts({ ...plain, ...input }).map((mount) => mount.destination);
}

function options(input: Partial<MountInput>, target: string): readonly string[] {
  const mounts = runtimeMounts({ ...plain, ...input });
  return mounts.find((mount) => mount.destination === target)?.options ?? [];
}

test('a container has its own proc, dev, sys and shm', () => {
  assert.deepEqual(targets({}), ['/proc', '/dev', '/dev/pts', '/sys', '/sys/fs/cgroup', '/dev/mqueue', '/dev/shm']);
  assert.ok(options({}, '/sys').includes('ro') && options({}, '/sys/fs/cgroup').includes('ro'));
  assert.ok(options({}, '/dev/shm').includes('size=67108864'));
  const privileged = { spec: { ...plain.spec, privileged: true }, writableCgroups: true };
  assert.ok(!options(privileged, '/sys').includes('ro') && !options(privileged, '/sys/fs/cgroup').includes('ro'));
});

test('outer paths are mounted first, whatever order they were given in', () => {
  const mounts = [bind('/a/b/c'), bind('/z'), bind('/a'), bind('/a/b/')];
  assert.deepEqual(targets({ mounts }).slice(-4), ['/z', '/a', '/a/b/', '/a/b/c']);
});

test("the user's mounts take the place of our own", () => {
  const files = { '/etc/hosts': '/run/hosts', '/etc/resolv.conf': '/run/resolv' };
  const mounts = runtimeMounts({ ...plain, files, mounts: [bind('/etc/hosts'), bind('/dev/shm'), bind('/proc')] });
  const sources = (target: string): readonly string[] =>
    mounts.filter((mount) => mount.destination === target).map((mount) => mount.source);
  assert.deepEqual(sources('/etc/hosts'), ['/host/etc/hosts']);
  assert.deepEqual(sources('/etc/resolv.conf'), ['/run/resolv']);
  assert.deepEqual(sources('/dev/shm'), ['/host/dev/shm']);
  assert.deepEqual(sources('/proc'), ['/host/proc']);
  assert.ok(!targets({ mounts: [bind('/dev')] }).includes('/dev/pts'));
});

test('read-only binds cover the mounts below, and propagate as said', () => {
  assert.deepEqual(options({ mounts: [bind('/a')] }, '/a'), ['rbind', 'rw', 'rprivate']);
  assert.deepEqual(options({ mounts: [bind('/a', { readOnly: true, propagation: 'rslave' })] }, '/a'), [
    'rbind',
    'rro',
    'rslave',
  ]);
  assert.equal(rootPropagation([bind('/a'), bind('/b', { propagation: 'slave' })]), 'rslave');
  assert.equal(rootPropagation([bind('/a', { propagation: 'rshared' })]), 'rshared');
  assert.equal(rootPropagation([bind('/a')]), undefined);
});

test('files are read-only with a read-only root', () => {
  const files = { '/etc/hosts': '/run/hosts' };
  assert.ok(options({ files }, '/etc/hosts').includes('rw'));
  assert.ok(options({ files, spec: { ...plain.spec, readOnlyRoot: true } }, '/etc/hosts').includes('ro'));
});

test('tmpfs options override the careful defaults', () => {
  const tmpfs = (change: object): ResolvedMount => ({ type: 'tmpfs', target: '/t', readOnly: false, ...change });
  assert.deepEqual(options({ mounts: [tmpfs({})] }, '/t'), ['noexec', 'nosuid', 'nodev', 'rprivate']);
  assert.deepEqual(
    options({ mounts: [tmpfs({ options: ['exec', 'size=1m'], sizeBytes: 4096, mode: 0o1777 })] }, '/t'),
    ['nosuid', 'nodev', 'exec', 'size=4096', 'mode=1777', 'rprivate'],
  );
  assert.ok(options({ mounts: [tmpfs({ readOnly: true })] }, '/t').includes('ro'));
});

test('shared memory follows the IPC namespace', () => {
  const shm = (ipcMode: string, sharedMemory?: string): readonly string[] =>
    runtimeMounts({ ...plain, sharedMemory, spec: { ...plain.spec, ipcMode } })
      .filter((mount) => mount.destination === '/dev/shm')
      .map((mount) => mount.source);
  assert.deepEqual(shm('private'), ['shm']);
  assert.deepEqual(shm('none'), []);
  assert.deepEqual(shm('host'), ['/dev/shm']);
  assert.deepEqual(shm('container:other', '/run/other/shm'), ['/run/other/shm']);
});

test('read-only reaches below unless it shall not, or the kernel cannot', () => {
  const of = (
    change: Partial<ResolvedMount & { type: 'bind' }>,
    readOnlyOption: 'ro' | 'rro' = 'rro',
  ): readonly string[] => options({ mounts: [bind('/b', { readOnly: true, ...change })], readOnlyOption }, '/b');
  assert.deepEqual(of({}), ['rbind', 'rro', 'rprivate']);
  assert.deepEqual(of({ readOnlyReach: 'top' }), ['rbind', 'ro', 'rprivate']);
  assert.deepEqual(of({ readOnlyReach: 'all' }), ['rbind', 'rro', 'rprivate']);
  assert.deepEqual(of({}, 'ro'), ['rbind', 'ro', 'rprivate']);
  assert.throws(() => of({ readOnlyReach: 'all' }, 'ro'), /needs Linux 5.12/);
  assert.deepEqual(of({ nonRecursive: true, readOnly: false }), ['bind', 'rw', 'rprivate']);
});

test('in a user namespace a bind keeps what its source may not lose', () => {
  const mounts = runtimeMounts({ ...plain, mounts: [bind('/a', { readOnly: true }), bind('/b')] });
  const locked = keepLocked(mounts, (source) =>
    source === '/host/a' ? ['rw', 'nosuid', 'relatime'] : ['ro', 'nodev'],
  );
  const optionsOf = (target: string) => locked.find(({ destination }) => destination === target)?.options;
  assert.deepEqual(optionsOf('/a'), ['rbind', 'rro', 'rprivate', 'nosuid']);
  assert.deepEqual(optionsOf('/b'), ['rbind', 'rprivate', 'ro', 'nodev']);
  assert.deepEqual(optionsOf('/proc'), options({}, '/proc'));
});
