import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { StatusError } from '#base/errors.ts';
import type { NewVolume, Volume } from '#engine/volumes/volumes.ts';
import { createClient } from '#kube/client/create-client.ts';
import type { PersistentVolume } from '#kube/types/gen/core-v1.ts';
import { FakeClock, settle } from '#kit/fake-clock.ts';
import { MemoryApi } from '#kit/memory-api.ts';

import { runProvisioner } from './run-provisioner.ts';

const claimPath = '/api/v1/namespaces/shop/persistentvolumeclaims/data';
const volumePath = '/api/v1/persistentvolumes/pvc-c-1';
const never = new AbortController().signal;
const claimBase = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'shop', name: 'data', uid: 'c-1' },
};
const spec = {
  accessModes: ['ReadWriteOnce'],
  storageClassName: 'local-path',
  resources: { requests: { storage: '1Gi' } },
};
const selected = { annotations: { 'volume.kubernetes.io/selected-node': 'one' } };

interface World extends AsyncDisposable {
  readonly api: MemoryApi;
  readonly clock: FakeClock;
  readonly volumes: Map<string, Volume>;
  readonly holders: Set<string>;
  readonly events: string[];
  readonly inUse: Set<string>;
  persistent(): Promise<PersistentVolume | undefined>;
}

async function start(t: TestContext): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'provisioner-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const api = new MemoryApi();
  const client = createClient(api);
  const clock = new FakeClock();
  const [volumes, holders, inUse] = [new Map<string, Volume>(), new Set<string>(), new Set<string>()];
  const events: string[] = [];
  const stop = new AbortController();
  const engine = {
    find: (name: string) => volumes.get(name),
    list: () => [...volumes.values()],
    create: async ({ name = '', labels = {}, options = {} }: NewVolume) => {
      const made = { name, mountpoint: folder, createdAtMs: 0, labels, options, anonymous: false };
      volumes.set(name, volumes.get(name) ?? made);
      return made;
    },
    remove: async (name: string) => {
      if (inUse.has(name) || holders.has(name)) throw new StatusError('Conflict', 'in use');
      volumes.delete(name);
    },
    resize: async (name: string, size: string) => {
      const old = volumes.get(name);
      if (old !== undefined) volumes.set(name, { ...old, options: { size } });
    },
    hold: (name: string) => void holders.add(name),
    release: (name: string) => void holders.delete(name),
    open: async () => folder,
    close: async () => {},
  };
  const record = (_: unknown, type: string, reason: string, message: string): void =>
    void events.push(`${type} ${reason} ${message}`);
  const running = runProvisioner({ client, volumes: engine, nodeName: 'one', record, clock }, stop.signal);
  await settle();
  return {
    api,
    clock,
    volumes,
    holders,
    events,
    inUse,
    persistent: async () => {
      const kind = {
        group: '',
        version: 'v1',
        kind: 'PersistentVolume',
        plural: 'persistentvolumes',
        scope: 'Cluster',
      } as const;
      const { items } = await client.list<PersistentVolume>(kind, {}, never);
      return items[0];
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

test('a claim gets a volume of its size when its pod has a node, and no sooner', async (t) => {
  await using world = await start(t);
  const { api, volumes, events } = world;
  assert.ok(api.requests.includes('POST /apis/storage.k8s.io/v1/storageclasses'));
  api.put(claimPath, { ...claimBase, spec });
  await settle();
  assert.equal(volumes.size, 0);
  api.put(claimPath, {
    ...claimBase,
    metadata: { ...claimBase.metadata, annotations: { 'volume.kubernetes.io/selected-node': 'two' } },
    spec,
  });
  await settle();
  assert.equal(volumes.size, 0);
  api.put(claimPath, { ...claimBase, metadata: { ...claimBase.metadata, ...selected }, spec });
  await settle();
  const made = volumes.get('pvc-c-1');
  assert.deepEqual(made?.options, { size: String(2 ** 30) });
  assert.equal(statSync(made?.mountpoint ?? '').mode & 0o777, 0o777);
  const persistent = await world.persistent();
  assert.equal(persistent?.metadata.name, 'pvc-c-1');
  assert.equal(persistent?.spec?.claimRef?.uid, 'c-1');
  assert.deepEqual(persistent?.spec?.capacity, { storage: '1Gi' });
  assert.equal(persistent?.spec?.persistentVolumeReclaimPolicy, 'Delete');
  assert.deepEqual(events, [
    'Normal Provisioning External provisioner is provisioning volume for claim "shop/data"',
    'Normal ProvisioningSucceeded Successfully provisioned volume pvc-c-1',
  ]);
  assert.ok(world.holders.has('pvc-c-1'));
});

test('what this class cannot do is said on the claim, once', async (t) => {
  await using world = await start(t);
  world.api.put(claimPath, {
    ...claimBase,
    metadata: { ...claimBase.metadata, ...selected },
    spec: { ...spec, volumeMode: 'Block' },
  });
  await world.clock.advance(60_000);
  assert.deepEqual(world.events, [
    'Warning ProvisioningFailed failed to provision volume with StorageClass "local-path": volumeMode Block: this class has filesystems only',
  ]);
});

test('a claim that asks for more gets more', async (t) => {
  await using world = await start(t);
  const { api, volumes } = world;
  const claim = { ...claimBase, metadata: { ...claimBase.metadata, ...selected } };
  api.put(claimPath, { ...claim, spec });
  await settle();
  const bound = { phase: 'Bound', capacity: { storage: '1Gi' } };
  const more = { ...spec, volumeName: 'pvc-c-1', resources: { requests: { storage: '2Gi' } } };
  api.put(claimPath, { ...claim, spec: more, status: bound });
  await settle();
  assert.deepEqual(volumes.get('pvc-c-1')?.options, { size: String(2 ** 31) });
  assert.deepEqual((await world.persistent())?.spec?.capacity, { storage: '2Gi' });
});

test('after its claim a volume goes with its data, as soon as nobody uses it; a retained one stays', async (t) => {
  await using world = await start(t);
  const { api, volumes, inUse } = world;
  api.put(claimPath, { ...claimBase, metadata: { ...claimBase.metadata, ...selected }, spec });
  await settle();
  api.remove(claimPath);
  inUse.add('pvc-c-1');
  const made = (await world.persistent()) as unknown as Record<string, unknown>;
  api.put(volumePath, { ...made, status: { phase: 'Released' } });
  await settle();
  assert.equal(volumes.size, 1);
  inUse.clear();
  await world.clock.advance(60_000);
  assert.equal(volumes.size, 0);
  assert.equal(await world.persistent(), undefined);
  api.put(claimPath, { ...claimBase, metadata: { ...claimBase.metadata, ...selected }, spec });
  await settle();
  api.remove(claimPath);
  const second = (await world.persistent()) as unknown as Record<string, unknown>;
  api.put(volumePath, {
    ...second,
    spec: { ...(second['spec'] as object), persistentVolumeReclaimPolicy: 'Retain' },
    status: { phase: 'Released' },
  });
  await world.clock.advance(60_000);
  assert.equal(volumes.size, 1);
});
