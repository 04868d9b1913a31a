import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { StatusError } from '#base/errors.ts';
import type { Container, MountRequest } from '#engine/runtime/container.ts';
import { parseBind } from './binds.ts';
import type { HostConfig } from './host-config-fields.ts';
import { mountRequest, mountRequests } from './mounts.ts';
import { parseTmpfs } from './tmpfs.ts';

const bind = (source: string, target: string, rest: Partial<MountRequest> = {}): MountRequest => ({
  type: 'bind',
  source,
  target,
  readOnly: false,
  createSource: true,
  ...rest,
});
const volume = (source: string, target: string, rest: Partial<MountRequest> = {}): MountRequest => ({
  type: 'volume',
  source,
  target,
  readOnly: false,
  ...rest,
});

describe('-v', () => {
  const cases: readonly (readonly [string, MountRequest])[] = [
    ['/src:/dst', bind('/src', '/dst')],
    ['/src:/dst:ro', bind('/src', '/dst', { readOnly: true })],
    ['/src:/dst:rw,z', bind('/src', '/dst')],
    ['/src/../x//y:/dst/', bind('/x/y', '/dst')],
    ['/src:/dst:ro,rshared,Z', bind('/src', '/dst', { readOnly: true, propagation: 'rshared' })],
    ['data:/dst', volume('data', '/dst')],
    ['data:/dst:ro,nocopy', volume('data', '/dst', { readOnly: true, noCopy: true })],
    ['/only', volume('', '/only')],
  ];
  for (const [text, expected] of cases) test(text, () => assert.deepEqual(parseBind(text), expected));

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /write source:target/],
    [':/dst', /write source:target/],
    ['a:b:c:d', /write source:target/],
    ['/src:dst', /mount path "dst" must be absolute/],
    ['/src:/', /destination can't be '\/'/],
    ['/src:/x/..', /destination can't be '\/'/],
    ['./src:/dst', /includes invalid characters for a local volume name/],
    ['data:/dst:purple', /invalid mode: purple/],
    ['data:/dst:ro,rw', /invalid mode: ro,rw/],
    ['/src:/dst:shared,slave', /invalid mode/],
    ['/src:/dst:nocopy', /"nocopy" is for volumes/],
    ['data:/dst:rshared', /propagation is for host directories/],
  ];
  for (const [text, message] of wrong) {
    test(`refuses "${text}"`, () => assert.throws(() => parseBind(text), { reason: 'InvalidArgument', message }));
  }

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('/', ':', 'a', '.', 'ro', ',', '\0'), maxLength: 12 }), (text) => {
        let mount: MountRequest;
        try {
          mount = parseBind(text);
        } catch (error) {
          assert.ok(error instanceof StatusError);
          return;
        }
        const parts = mount.target.split('/').slice(1);
        assert.ok(mount.target.startsWith('/') && !parts.some((part) => ['', '.', '..'].includes(part)), mount.target);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('--tmpfs', () => {
  const tmpfs = (rest: Partial<MountRequest> = {}): MountRequest => ({
    type: 'tmpfs',
    source: '',
    target: '/run',
    readOnly: false,
    ...rest,
  });
  const cases: readonly (readonly [string, MountRequest])[] = [
    ['', tmpfs()],
    ['ro', tmpfs({ readOnly: true })],
    ['size=64m,mode=1777', tmpfs({ tmpfsSizeBytes: 67_108_864, tmpfsMode: 0o1777 })],
    ['size=1000,noexec,uid=5', tmpfs({ tmpfsSizeBytes: 1000, tmpfsOptions: ['noexec', 'uid=5'] })],
    ['defaults,rw,size=2G', tmpfs({ tmpfsSizeBytes: 2_147_483_648 })],
  ];
  for (const [options, expected] of cases) {
    test(`"${options}"`, () => assert.deepEqual(parseTmpfs('/run', options), expected));
  }
  for (const bad of ['size=', 'size=5t', 'size=-1', 'mode=9', 'lowerdir=/etc', 'uid=x', 'exec=1']) {
    test(`refuses "${bad}"`, () => assert.throws(() => parseTmpfs('/run', bad), { reason: 'InvalidArgument' }));
  }
});

const bindWith = (options: object): Parameters<typeof mountRequest>[0] => ({
  Type: 'bind',
  Source: '/a',
  Target: '/t',
  BindOptions: options,
});

describe('--mount', () => {
  test('binds do not make their source unless told to', () => {
    const mount = { Type: 'bind', Source: '/a/', Target: '/b', ReadOnly: true };
    assert.deepEqual(mountRequest(mount), bind('/a', '/b', { readOnly: true, createSource: false }));
    const made = mountRequest({ ...mount, BindOptions: { CreateMountpoint: true, Propagation: 'slave' } });
    assert.deepEqual(made, bind('/a', '/b', { readOnly: true, propagation: 'slave' }));
  });

  test('volumes carry labels and driver options', () => {
    const options = { NoCopy: true, Labels: { a: 'b' }, DriverConfig: { Name: 'local', Options: { type: 'tmpfs' } } };
    assert.deepEqual(
      mountRequest({ Type: 'volume', Source: 'v', Target: '/b', VolumeOptions: options }),
      volume('v', '/b', { noCopy: true, volumeLabels: { a: 'b' }, volumeDriverOptions: { type: 'tmpfs' } }),
    );
  });

  test('parts of volumes and images are mounted', () => {
    const part = { Type: 'volume', Source: 'v', Target: '/b', VolumeOptions: { Subpath: 'a/./b/' } };
    assert.deepEqual(mountRequest(part), volume('v', '/b', { subpath: 'a/b' }));
    const whole = { ...part, VolumeOptions: { Subpath: '.' } };
    assert.deepEqual(mountRequest(whole), volume('v', '/b'));
    assert.deepEqual(mountRequest({ Type: 'image', Source: 'i', Target: '/t', ImageOptions: { Subpath: 'bin' } }), {
      type: 'image',
      source: 'i',
      target: '/t',
      readOnly: false,
      subpath: 'bin',
    });
  });

  test('read-only reaches as far as it is told to', () => {
    const expected = { readOnly: true, createSource: false };
    const mount = (options: object): MountRequest => mountRequest({ ...bindWith(options), ReadOnly: true });
    assert.deepEqual(mount({ NonRecursive: true }), bind('/a', '/t', { ...expected, nonRecursive: true }));
    assert.deepEqual(mount({ ReadOnlyNonRecursive: true }), bind('/a', '/t', { ...expected, readOnlyReach: 'top' }));
    assert.deepEqual(mount({ ReadOnlyForceRecursive: true }), bind('/a', '/t', { ...expected, readOnlyReach: 'all' }));
  });

  test('tmpfs has a size, a mode and options', () => {
    const TmpfsOptions = { SizeBytes: 5, Mode: 0o700, Options: [['noexec'], ['uid', '7']] };
    assert.deepEqual(mountRequest({ Type: 'tmpfs', Target: '/t', TmpfsOptions }), {
      type: 'tmpfs',
      source: '',
      target: '/t',
      readOnly: false,
      tmpfsSizeBytes: 5,
      tmpfsMode: 0o700,
      tmpfsOptions: ['noexec', 'uid=7'],
    });
  });

  const refusals: readonly (readonly [string, Parameters<typeof mountRequest>[0], string])[] = [
    ['no type', { Target: '/t' }, 'InvalidArgument'],
    ['an image without a name', { Type: 'image', Target: '/t' }, 'InvalidArgument'],
    ['a relative bind', { Type: 'bind', Source: 'a', Target: '/t' }, 'InvalidArgument'],
    ['options of another type', { Type: 'bind', Source: '/a', Target: '/t', VolumeOptions: {} }, 'InvalidArgument'],
    ['a part of nothing', { Type: 'volume', Target: '/t', VolumeOptions: { Subpath: 'x' } }, 'InvalidArgument'],
    ['another driver', { Type: 'volume', Target: '/t', VolumeOptions: { DriverConfig: { Name: 'nfs' } } }, 'NotFound'],
    ['read-only all over, but not', bindWith({ ReadOnlyForceRecursive: true }), 'InvalidArgument'],
    ...[{ NonRecursive: true }, { ReadOnlyNonRecursive: true }, { Propagation: 'rshared' }].map(
      (other): (typeof refusals)[number] => [
        `read-only all over with ${Object.keys(other).join()}`,
        { ...bindWith({ ReadOnlyForceRecursive: true, ...other }), ReadOnly: true },
        'InvalidArgument',
      ],
    ),
    ['a tmpfs with a source', { Type: 'tmpfs', Source: '/a', Target: '/t' }, 'InvalidArgument'],
    ['an unknown consistency', { Type: 'tmpfs', Target: '/t', Consistency: 'eventual' }, 'InvalidArgument'],
  ];
  for (const subpath of ['/etc', '..', 'a/../../b', 'a\0b']) {
    const mount = { Type: 'volume', Source: 'v', Target: '/t', VolumeOptions: { Subpath: subpath } };
    test(`refuses the subpath ${JSON.stringify(subpath)}`, () => {
      assert.throws(() => mountRequest(mount), { reason: 'InvalidArgument' });
    });
  }
  for (const [name, mount, reason] of refusals) {
    test(`refuses ${name}`, () => assert.throws(() => mountRequest(mount), { reason }));
  }
});

describe('all mounts together', () => {
  const donor = {
    mounts: [
      { type: 'volume', name: 'shared', source: '/v', destination: '/shared', readOnly: false, propagation: '' },
      { type: 'bind', name: '', source: '/host', destination: '/host', readOnly: true, propagation: 'rslave' },
      { type: 'tmpfs', name: '', source: '', destination: '/tmp', readOnly: false, propagation: '' },
    ],
    spec: { mounts: [{ target: '/shared', subpath: 'part' }] },
  } as unknown as Container;
  const all = (host: HostConfig, volumes: Record<string, object> = {}): readonly MountRequest[] =>
    mountRequests(host, volumes, () => donor);

  test('anonymous volumes fill what nothing covers', () => {
    assert.deepEqual(all({ Binds: ['/a:/data'] }, { '/data': {}, '/cache/': {}, relative: {} }), [
      bind('/a', '/data'),
      volume('', '/cache'),
      volume('', '/relative'),
    ]);
  });

  test('what another container has comes along, but what is named here wins', () => {
    const { propagation } = { propagation: 'rslave' };
    const { createSource: _, ...host } = bind('/host', '/host', { readOnly: true, propagation });
    assert.deepEqual(all({ VolumesFrom: ['donor:ro'], Tmpfs: { '/x': '' } }), [
      volume('shared', '/shared', { readOnly: true, subpath: 'part' }),
      host,
      { type: 'tmpfs', source: '', target: '/x', readOnly: false },
    ]);
    assert.deepEqual(all({ VolumesFrom: ['donor'], Binds: ['/a:/shared'] })[0], bind('/a', '/shared'));
    assert.throws(() => all({ VolumesFrom: ['donor:purple'] }), /invalid mode for volumes-from/);
  });

  test('one target twice is refused', () => {
    assert.throws(() => all({ Binds: ['/a:/data', '/b:/data/'] }), {
      reason: 'InvalidArgument',
      message: 'Duplicate mount point: /data',
    });
  });
});
