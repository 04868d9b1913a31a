import assert from 'node:assert/strict';
import { test } from 'node:test';

import { controllerWorld } from '#kit/controller-world.ts';
import type { PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';

import { ephemeralVolumeController } from './ephemeral-volume.ts';

const claims = '/api/v1/namespaces/ns/persistentvolumeclaims';
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: {
    volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec: {} } } }],
  },
};

test('a pod gets claims of its own for its ephemeral volumes', async () => {
  await using world = controllerWorld(ephemeralVolumeController);
  world.api.put('/api/v1/namespaces/ns/pods/p', pod);
  await world.settle();
  const [claim] = await world.list<PersistentVolumeClaim>(claims);
  assert.deepEqual([claim?.metadata.name, claim?.metadata.labels], ['p-v', { a: 'b' }]);
  assert.equal(claim?.metadata.ownerReferences?.[0]?.uid, 'u');
  assert.deepEqual(world.failures, []);
});

test('a claim of somebody else is not taken', async () => {
  await using world = controllerWorld(ephemeralVolumeController);
  const metadata = { name: 'p-v', namespace: 'ns' };
  world.api.put(`${claims}/p-v`, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata });
  world.api.put('/api/v1/namespaces/ns/pods/p', pod);
  await world.settle();
  assert.match(world.failures.join(' '), /PVC ns\/p-v was not created for pod ns\/p \(pod is not owner\)/);
});
