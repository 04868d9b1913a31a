import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { controllerWorld } from '#kit/controller-world.ts';
import type { Event, PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';

import { claimBinder } from './claim-binder.ts';
import { claimProtection, volumeProtection } from './storage-protection.ts';
import { volumePhaseController } from './volume-phase.ts';

const claimPath = '/api/v1/namespaces/ns/persistentvolumeclaims/c';

describe('a claim', () => {
  test('gets the smallest volume that fits, which is released when it goes', async () => {
    await using world = started();
    for (const [name, size] of [
      ['small', '1Gi'],
      ['right', '2Gi'],
      ['large', '9Gi'],
    ] as const)
      world.api.put(`/api/v1/persistentvolumes/${name}`, volume(name, size));
    await world.settle();
    world.api.put(claimPath, claim({}));
    await world.settle();
    const bound = await claimOf(world);
    assert.deepEqual(
      [bound.spec?.volumeName, bound.status?.phase, bound.status?.capacity],
      ['right', 'Bound', { storage: '2Gi' }],
    );
    assert.deepEqual(bound.metadata.finalizers, ['kubernetes.io/pvc-protection']);
    assert.deepEqual(await phases(world), { large: 'Available', right: 'Bound', small: 'Available' });
    world.api.remove(claimPath);
    await world.settle();
    assert.equal((await phases(world))['right'], 'Released');
    assert.deepEqual(world.failures, []);
  });

  test('waits for its first consumer, then asks for a volume and takes the one that is made for it', async () => {
    await using world = started();
    world.api.put('/apis/storage.k8s.io/v1/storageclasses/local', {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local' },
      provisioner: 'x/y',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    world.api.put(claimPath, claim({ storageClassName: 'local' }));
    await world.settle();
    assert.ok((await world.list<Event>('/api/v1/events')).some(({ reason }) => reason === 'WaitForFirstConsumer'));
    const waiting = await claimOf(world);
    assert.equal(waiting.status?.phase, 'Pending');
    const annotations = { 'volume.kubernetes.io/selected-node': 'n' };
    world.api.put(claimPath, { ...waiting, metadata: { ...waiting.metadata, annotations } });
    await world.settle();
    assert.equal((await claimOf(world)).metadata.annotations?.['volume.kubernetes.io/storage-provisioner'], 'x/y');
    const claimRef = { namespace: 'ns', name: 'c', uid: 'u' };
    const made = volume('made', '2Gi');
    world.api.put('/api/v1/persistentvolumes/made', {
      ...made,
      spec: { ...made.spec, storageClassName: 'local', claimRef },
    });
    await world.settle();
    assert.equal((await claimOf(world)).spec?.volumeName, 'made');
    assert.deepEqual(await phases(world), { made: 'Bound' });
    assert.deepEqual(world.failures, []);
  });

  test('that goes stays while a pod uses it', async () => {
    await using world = started();
    const used = claim({});
    world.api.put('/api/v1/namespaces/ns/pods/p', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'ns' },
      spec: { nodeName: 'n', volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
    });
    const finalizers = ['kubernetes.io/pvc-protection'];
    world.api.put(claimPath, {
      ...used,
      metadata: { ...used.metadata, finalizers, deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    await world.settle();
    assert.deepEqual((await claimOf(world)).metadata.finalizers, finalizers);
    world.api.remove('/api/v1/namespaces/ns/pods/p');
    await world.settle();
    assert.deepEqual((await claimOf(world)).metadata.finalizers, []);
  });

  test('whose volume is gone is lost', async () => {
    await using world = started();
    world.api.put('/api/v1/persistentvolumes/v', volume('v', '2Gi'));
    await world.settle();
    world.api.put(claimPath, claim({}));
    await world.settle();
    world.api.remove('/api/v1/persistentvolumes/v');
    await world.settle();
    assert.equal((await claimOf(world)).status?.phase, 'Lost');
  });
});

type Started = ReturnType<typeof controllerWorld>;

function started(): Started {
  return controllerWorld(claimBinder, volumePhaseController, claimProtection, volumeProtection);
}

function volume(name: string, storage: string) {
  const spec = { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } };
  return { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec };
}

function claim(spec: object) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'ns', uid: 'u' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } }, ...spec },
  };
}

async function claimOf(world: Started): Promise<PersistentVolumeClaim> {
  const [one] = await world.list<PersistentVolumeClaim>('/api/v1/namespaces/ns/persistentvolumeclaims');
  assert.ok(one !== undefined);
  return one;
}

async function phases(world: Started): Promise<Record<string, string | undefined>> {
  const all = await world.list<PersistentVolume>('/api/v1/persistentvolumes');
  return Object.fromEntries(all.map(({ metadata, status }) => [metadata.name ?? '', status?.phase]));
}
