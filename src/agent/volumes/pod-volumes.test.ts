import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  Volume,
  VolumeMount,
} from '#kube/types/gen/core-v1.ts';

import type { PodFacts, TokenOrder } from '../environment/pod-sources.ts';
import { Claims } from './claims.ts';
import type { OpenedVolume } from './opened-volume.ts';
import { PodVolumes } from './pod-volumes.ts';

const never = new AbortController().signal;
const facts: PodFacts = {
  nodeName: 'one',
  hostIPs: ['192.0.2.1'],
  podIPs: [],
  allocatable: { cpu: '4', memory: '1Gi' },
};

interface World {
  readonly volumes: PodVolumes;
  readonly folder: string;
  readonly configMaps: Map<string, ConfigMap>;
  readonly secrets: Map<string, Secret>;
  readonly claims: Map<string, PersistentVolumeClaim>;
  readonly persistent: Map<string, PersistentVolume>;
  readonly orders: TokenOrder[];
  readonly mounted: string[];
  nowMs: number;
}

function openWorld(t: TestContext): World {
  const folder = mkdtempSync(join(tmpdir(), 'pod-volumes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [configMaps, secrets] = [new Map<string, ConfigMap>(), new Map<string, Secret>()];
  const [claims, persistent] = [new Map<string, PersistentVolumeClaim>(), new Map<string, PersistentVolume>()];
  const orders: TokenOrder[] = [];
  const mounted: string[] = [];
  const sources = {
    configMap: async (_: string, name: string) => configMaps.get(name),
    secret: async (_: string, name: string) => secrets.get(name),
    services: async () => [],
    token: async (order: TokenOrder) => {
      orders.push(order);
      return { token: `token ${String(orders.length)}`, expiresAtMs: world.nowMs + order.expirationSeconds * 1000 };
    },
    claim: async (_: string, name: string) => claims.get(name),
    persistentVolume: async (name: string) => persistent.get(name),
  };
  const engine = {
    find: (name: string) =>
      name === 'pvc-1'
        ? { name, mountpoint: folder, createdAtMs: 0, labels: {}, options: {}, anonymous: false }
        : undefined,
    open: async () => folder,
    close: async () => {},
  };
  const volumes = new PodVolumes({
    folder: join(folder, 'pods'),
    sources,
    claims: new Claims(sources, engine),
    mounter: {
      tmpfs: (path, { sizeBytes }) => void mounted.push(`tmpfs ${path.slice(folder.length)} ${String(sizeBytes)}`),
      bind: (_, target) => void mounted.push(`bind ${target.slice(folder.length)}`),
      unmountAll: () => void mounted.push('none'),
    },
    clock: { nowMs: () => world.nowMs, after: () => ({ [Symbol.dispose]: () => {} }) },
  });
  const world: World = { volumes, folder, configMaps, secrets, claims, persistent, orders, mounted, nowMs: 1_000_000 };
  return world;
}

function podWith(volumes: Volume[], spec: Pod['spec'] = {}): Pod {
  const metadata = { name: 'web', namespace: 'shop', uid: 'u-1', labels: { a: 'b' } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, volumes } };
}

async function open(world: World, volume: Volume, spec?: Pod['spec']): Promise<string> {
  const opened = (await world.volumes.open(podWith([{ name: 'v', ...volume }], spec), facts, never)).get('v');
  assert.equal(opened?.kind, 'folder');
  return opened.path;
}

function configMap(data: Record<string, string>, binaryData: Record<string, string> = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data, binaryData };
}

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test('a ConfigMap becomes files, which change together when it changes', async (t) => {
  const world = openWorld(t);
  world.configMaps.set('cm', configMap({ a: 'one', b: 'two' }, { c: Buffer.from([0, 255]).toString('base64') }));
  const volume = { configMap: { name: 'cm', defaultMode: 0o400 } };
  const path = await open(world, volume);
  assert.equal(modeOf(path), '777');
  assert.deepEqual(
    readdirSync(path).filter((name) => !name.startsWith('..')),
    ['a', 'b', 'c'],
  );
  assert.equal(readlinkSync(join(path, 'a')), '..data/a');
  assert.deepEqual([...readFileSync(join(path, 'c'))], [0, 255]);
  assert.equal(modeOf(join(path, 'a')), '400');
  const before = readlinkSync(join(path, '..data'));
  await open(world, volume);
  assert.equal(readlinkSync(join(path, '..data')), before, 'nothing changed, so nothing is written');
  world.configMaps.set('cm', configMap({ a: 'new', d: 'four' }));
  await world.volumes.update(podWith([{ name: 'v', ...volume }]), facts, never);
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'new');
  assert.deepEqual(
    readdirSync(path).filter((name) => !name.startsWith('..')),
    ['a', 'd'],
  );
  assert.equal(readdirSync(path).filter((name) => name.startsWith('..')).length, 2, 'only the link and what it names');
});

test('items choose keys, paths and modes; what is missing is said unless it is optional', async (t) => {
  const world = openWorld(t);
  world.configMaps.set('cm', configMap({ a: 'one', b: 'two' }));
  const items = [{ key: 'a', path: 'deep/er/x', mode: 0o600 }];
  const path = await open(world, { configMap: { name: 'cm', items } });
  assert.equal(readFileSync(join(path, 'deep/er/x'), 'utf8'), 'one');
  assert.equal(modeOf(join(path, 'deep/er/x')), '600');
  const other = [{ key: 'z', path: 'z' }];
  const setUp = 'MountVolume.SetUp failed for volume "v" : ';
  for (const [volume, message] of [
    [{ configMap: { name: 'x' } }, 'configmap "x" not found'],
    [{ secret: { secretName: 'x' } }, 'secret "x" not found'],
    [{ configMap: { name: 'cm', items: other } }, 'configmap references non-existent config key: z'],
    [{ projected: { sources: [{ secret: { name: 'x' } }] } }, 'secret "x" not found'],
    [
      { projected: { sources: [{ clusterTrustBundle: { path: 'x' } }] } },
      'projected volumes cannot have a source clusterTrustBundle on this node',
    ],
    [{ nfs: { server: 'a', path: '/' } }, 'volumes of the kind "nfs" cannot be mounted on this node'],
    [
      { configMap: { name: 'cm', items: [{ key: 'a', path: '../x' }] } },
      'invalid path: must be relative and must not begin with "..": ../x',
    ],
    [
      { hostPath: { path: '/dev/null', type: 'Directory' } },
      'hostPath type check failed: /dev/null is not a directory',
    ],
    [{ persistentVolumeClaim: { claimName: 'x' } }, 'persistentvolumeclaim "x" not found'],
  ] as const)
    await assert.rejects(open(world, volume as Volume), { message: setUp + message });
  const optional = await open(world, {
    projected: {
      sources: [{ secret: { name: 'x', optional: true } }, { configMap: { name: 'cm', items: other, optional: true } }],
    },
  });
  assert.deepEqual(
    readdirSync(optional).filter((name) => !name.startsWith('..')),
    [],
  );
});

test('fields and resources of the pod are files', async (t) => {
  const world = openWorld(t);
  const items = [
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' } },
  ];
  const containers = [{ name: 'main', resources: { limits: { cpu: '1' } } }];
  const path = await open(world, { downwardAPI: { items } }, { containers });
  assert.equal(readFileSync(join(path, 'labels'), 'utf8'), 'a="b"');
  assert.equal(readFileSync(join(path, 'cpu'), 'utf8'), '1000');
});

test('a token is asked for once, and anew when four fifths of its time are over', async (t) => {
  const world = openWorld(t);
  const volume = { projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 1000 } }] } };
  const spec = { serviceAccountName: 'seller' };
  const path = await open(world, volume, spec);
  assert.deepEqual(world.orders, [
    {
      namespace: 'shop',
      serviceAccount: 'seller',
      audience: '',
      expirationSeconds: 1000,
      pod: { name: 'web', uid: 'u-1' },
    },
  ]);
  world.nowMs += 799_000;
  await open(world, volume, spec);
  assert.equal(readFileSync(join(path, 'token'), 'utf8'), 'token 1');
  world.nowMs += 1000;
  await open(world, volume, spec);
  assert.equal(readFileSync(join(path, 'token'), 'utf8'), 'token 2');
  assert.equal(modeOf(join(path, 'token')), '644');
  assert.deepEqual(new Set(world.mounted), new Set(['tmpfs /pods/u-1/volumes/kubernetes.io~projected/v undefined']));
});

test('an emptyDir is everybody’s, is kept while the pod lives, has a limit, and goes with the pod', async (t) => {
  const world = openWorld(t);
  const volume = { emptyDir: { sizeLimit: '4Ki' } };
  const path = await open(world, volume);
  assert.equal(modeOf(path), '777');
  const pod = podWith([{ name: 'v', ...volume }]);
  assert.equal(await world.volumes.excess(pod, never), undefined);
  writeFileSync(join(path, 'file'), Buffer.alloc(20_000, 1));
  assert.equal(await open(world, volume), path);
  assert.equal(statSync(join(path, 'file')).size, 20_000);
  assert.equal(await world.volumes.excess(pod, never), 'Usage of EmptyDir volume "v" exceeds the limit "4Ki". ');
  assert.deepEqual(world.volumes.list(), ['u-1']);
  await world.volumes.close('u-1');
  assert.deepEqual(world.volumes.list(), []);
  const inMemory = { emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } };
  await open(world, inMemory, { containers: [{ name: 'main', resources: { limits: { memory: '1Mi' } } }] });
  assert.equal(world.mounted.at(-1), 'tmpfs /pods/u-1/volumes/kubernetes.io~empty-dir/v 1048576');
});

test('paths of the host are checked, and made where that is said', async (t) => {
  const world = openWorld(t);
  const at = join(world.folder, 'host');
  for (const [name, type, isFolder] of [
    ['a/b', 'DirectoryOrCreate', true],
    ['a/c', 'FileOrCreate', false],
    ['d', '', true],
  ] as const) {
    const path = await open(world, { hostPath: { path: join(at, name), type } });
    assert.equal(lstatSync(path).isDirectory(), isFolder);
  }
});

test('a claim shows the volume that it is bound to', async (t) => {
  const world = openWorld(t);
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { uid: 'c-1' },
    spec: { volumeName: 'pvc-1' },
  };
  const volume: Volume = { name: 'v', persistentVolumeClaim: { claimName: 'data' } };
  const opened = async (): Promise<OpenedVolume | undefined> =>
    (await world.volumes.open(podWith([volume]), facts, never)).get('v');
  world.claims.set('data', { ...claim, status: { phase: 'Pending' } });
  await assert.rejects(opened(), { message: 'MountVolume.SetUp failed for volume "v" : PVC shop/data is not bound' });
  world.claims.set('data', { ...claim, status: { phase: 'Bound' } });
  const annotations = { 'pv.kubernetes.io/provisioned-by': 'slipway.dev/local-path' };
  const persistent = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pvc-1', annotations },
    spec: { claimRef: { uid: 'c-1' } },
  };
  world.persistent.set('pvc-1', persistent);
  assert.deepEqual(await opened(), { kind: 'engine', name: 'pvc-1', readOnly: false });
  world.persistent.set('pvc-1', {
    ...persistent,
    metadata: { name: 'pvc-1' },
    spec: { claimRef: { uid: 'c-1' }, accessModes: ['ReadOnlyMany'], hostPath: { path: '/tmp' } },
  });
  assert.deepEqual(await opened(), { kind: 'folder', path: '/tmp', readOnly: true });
});

test('mounts say where, how, and which part', (t) => {
  const world = openWorld(t);
  const at = join(world.folder, 'data');
  mkdirSync(join(at, 'inner'), { recursive: true });
  symlinkSync('/etc', join(at, 'out'));
  symlinkSync('inner', join(at, 'in'));
  writeFileSync(join(at, 'file'), '');
  const volumes = new Map<string, OpenedVolume>([
    ['v', { kind: 'folder', path: at, readOnly: false }],
    ['ro', { kind: 'folder', path: at, readOnly: true }],
    ['e', { kind: 'engine', name: 'pvc-1', readOnly: false }],
  ]);
  const mountsOf = (...volumeMounts: VolumeMount[]): readonly unknown[] =>
    world.volumes.mounts(podWith([]), { name: 'main', volumeMounts }, volumes, new Map([['NAME', 'made/here']]));
  const bind = { type: 'bind', readOnly: false, propagation: 'rprivate' };
  assert.deepEqual(mountsOf({ name: 'v', mountPath: '/a', mountPropagation: 'HostToContainer' }), [
    { ...bind, target: '/a', source: at, propagation: 'rslave' },
  ]);
  assert.deepEqual(mountsOf({ name: 'ro', mountPath: 'a', recursiveReadOnly: 'Enabled' }), [
    { ...bind, target: '/a', source: at, readOnly: true, readOnlyReach: 'all' },
  ]);
  assert.deepEqual(mountsOf({ name: 'e', mountPath: '/a', subPath: 'x', readOnly: true }), [
    { type: 'volume', source: 'pvc-1', target: '/a', readOnly: true, readOnlyReach: 'top', noCopy: true, subpath: 'x' },
  ]);
  const part = (index: number): string => join(world.folder, `pods/u-1/subpaths/v/main/${String(index)}`);
  assert.deepEqual(
    mountsOf(
      { name: 'v', mountPath: '/a', subPath: 'file' },
      { name: 'v', mountPath: '/b', subPathExpr: '$(NAME)' },
      { name: 'v', mountPath: '/c', subPath: 'in' },
    ),
    [
      { ...bind, target: '/a', source: part(0) },
      { ...bind, target: '/b', source: part(1) },
      { ...bind, target: '/c', source: part(2) },
    ],
  );
  assert.equal(modeOf(join(at, 'made/here')), modeOf(at));
  assert.ok(lstatSync(part(0)).isFile() && lstatSync(part(1)).isDirectory());
  const failed = 'failed to prepare subPath for volumeMount "v" of container "main"';
  assert.throws(() => mountsOf({ name: 'v', mountPath: '/a', subPath: 'out' }), {
    message: failed,
    reason: 'Forbidden',
  });
  assert.throws(() => mountsOf({ name: 'v', mountPath: '/a', subPathExpr: '$(X)' }), {
    message: 'missing value for "X"',
  });
  assert.throws(() => mountsOf({ name: 'v', mountPath: '/a', subPath: '../x' }), /must not contain '\.\.'/);
  assert.throws(() => mountsOf({ name: 'w', mountPath: '/a' }), /cannot find volume "w"/);
});

test(
  'what a group is given it may read and write',
  { skip: process.getuid?.() !== 0 && 'owners are changed by root' },
  async (t) => {
    const world = openWorld(t);
    world.configMaps.set('cm', configMap({ a: 'one' }));
    const spec = { securityContext: { fsGroup: 4321 } };
    const files = await open(world, { configMap: { name: 'cm', defaultMode: 0o400 } }, spec);
    assert.deepEqual([statSync(join(files, 'a')).gid, modeOf(join(files, 'a'))], [4321, '440']);
    const token = await open(world, { projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }, spec);
    assert.equal(modeOf(join(token, 't')), '640');
    const empty = await open(world, { emptyDir: {} }, spec);
    assert.deepEqual([statSync(empty).gid, modeOf(empty)], [4321, '2777']);
  },
);
