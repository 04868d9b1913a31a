import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type ControllerWorld, controllerWorld } from '#kit/controller-world.ts';
import type { ControllerRevision, StatefulSet } from '#kube/types/gen/apps-v1.ts';
import type { Event, PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';

import { statefulSetController } from './stateful-set.ts';

const path = '/apis/apps/v1/namespaces/ns/statefulsets/db';
const podsPath = '/api/v1/namespaces/ns/pods';
const claimsPath = '/api/v1/namespaces/ns/persistentvolumeclaims';
const revisionsPath = '/apis/apps/v1/namespaces/ns/controllerrevisions';

describe('a stateful set', () => {
  test('makes its pods in order, each when those before it are well, with claims of their own', async () => {
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }];
    await using world = started({ replicas: 2, volumeClaimTemplates });
    await world.settle();
    assert.deepEqual(await names(world), ['db-0']);
    await runPods(world);
    assert.deepEqual(await names(world), ['db-0', 'db-1']);
    const [first] = await world.list<Pod>(podsPath);
    assert.deepEqual([first?.spec?.hostname, first?.spec?.subdomain], ['db-0', 'dbs']);
    assert.deepEqual(first?.spec?.volumes, [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }]);
    assert.equal(first?.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'db-0');
    assert.equal(first?.metadata.labels?.['apps.kubernetes.io/pod-index'], '0');
    const claims = await world.list<PersistentVolumeClaim>(claimsPath);
    assert.deepEqual(
      claims.map(({ metadata }) => metadata.name),
      ['data-db-0', 'data-db-1'],
    );
    await runPods(world);
    const { status } = await setOf(world);
    assert.deepEqual([status?.replicas, status?.readyReplicas, status?.availableReplicas], [2, 2, 2]);
    assert.equal(status?.currentRevision, status?.updateRevision);
    const told = (await world.list<Event>('/api/v1/events')).map(({ message }) => message);
    assert.ok(told.includes('create Pod db-0 in StatefulSet db successful'), told.join('\n'));
    assert.ok(told.includes('create Claim data-db-0 Pod db-0 in StatefulSet db success'), told.join('\n'));
    assert.deepEqual(world.failures, []);
  });

  test('makes all pods at once when it is parallel, from its first ordinal on', async () => {
    await using world = started({ replicas: 3, podManagementPolicy: 'Parallel', ordinals: { start: 5 } });
    await world.settle();
    assert.deepEqual(await names(world), ['db-5', 'db-6', 'db-7']);
  });

  test('gives up pods from the highest on, and their claims when it is to', async () => {
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: {} }];
    const retention = { whenScaled: 'Delete', whenDeleted: 'Retain' };
    const spec = { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: retention };
    await using world = started({ ...spec, replicas: 3 });
    await runAll(world);
    await change(world, { ...spec, replicas: 1 });
    await runAll(world);
    assert.deepEqual(await names(world), ['db-0']);
    const owners = (await world.list<PersistentVolumeClaim>(claimsPath)).map(({ metadata }) =>
      (metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind}/${name}`).join(),
    );
    assert.deepEqual(owners, ['', 'Pod/db-1', 'Pod/db-2']);
  });

  test('brings pods to another template from the highest on, one at a time, down to the partition', async () => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
    await using world = started({ replicas: 3, updateStrategy });
    await runAll(world);
    await change(world, { replicas: 3, updateStrategy }, 'two');
    await world.settle();
    assert.deepEqual(await images(world), ['db-0 one', 'db-1 one', 'db-2 two']);
    await world.settle();
    assert.deepEqual(await images(world), ['db-0 one', 'db-1 one', 'db-2 two']);
    await runAll(world);
    assert.deepEqual(await images(world), ['db-0 one', 'db-1 two', 'db-2 two']);
    const { status } = await setOf(world);
    assert.deepEqual([status?.currentReplicas, status?.updatedReplicas], [1, 2]);
    assert.notEqual(status?.currentRevision, status?.updateRevision);
    // A pod below the partition comes back as it was.
    world.api.remove(`${podsPath}/db-0`);
    await runAll(world);
    assert.deepEqual(await images(world), ['db-0 one', 'db-1 two', 'db-2 two']);
    await change(world, { replicas: 3, updateStrategy: { type: 'RollingUpdate' } }, 'two');
    await runAll(world);
    const done = (await setOf(world)).status;
    assert.equal(done?.currentRevision, done?.updateRevision);
    assert.deepEqual([done?.currentReplicas, done?.updatedReplicas], [3, 3]);
  });

  test('that updates when pods are deleted leaves them, and keeps its history short', async () => {
    const spec = { replicas: 1, updateStrategy: { type: 'OnDelete' }, revisionHistoryLimit: 0 };
    await using world = started(spec);
    await runAll(world);
    for (const image of ['two', 'three']) await change(world, spec, image);
    await runAll(world);
    assert.deepEqual(await images(world), ['db-0 one']);
    world.api.remove(`${podsPath}/db-0`);
    await runAll(world);
    assert.deepEqual(await images(world), ['db-0 three']);
    const revisions = await world.list<ControllerRevision>(revisionsPath);
    assert.ok(revisions.length <= 2, `${String(revisions.length)} revisions`);
  });

  test('makes a pod again that failed', async () => {
    await using world = started({ replicas: 1 });
    await runAll(world);
    const [one] = await world.list<Pod>(podsPath);
    world.api.put(`${podsPath}/db-0`, { ...one, status: { phase: 'Failed' } });
    await world.settle();
    const [other] = await world.list<Pod>(podsPath);
    assert.notEqual(other?.metadata.uid, one?.metadata.uid);
    const told = (await world.list<Event>('/api/v1/events')).map(({ message }) => message);
    assert.ok(told.includes('StatefulSet ns/db is recreating failed Pod db-0'), told.join('\n'));
  });
});

function started(spec: Record<string, unknown>): ControllerWorld {
  const world = controllerWorld(statefulSetController);
  const metadata = { name: 'db', namespace: 'ns', uid: 'u1', generation: 1 };
  world.api.put(path, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: specOf(spec) });
  return world;
}

function specOf(more: Record<string, unknown>, image = 'one') {
  const template = { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image }] } };
  return { selector: { matchLabels: { app: 'db' } }, serviceName: 'dbs', template, ...more };
}

async function change(world: ControllerWorld, spec: Record<string, unknown>, image = 'one'): Promise<void> {
  const now = await setOf(world);
  const generation = (now.metadata.generation ?? 0) + 1;
  world.api.put(path, { ...now, metadata: { ...now.metadata, generation }, spec: specOf(spec, image) });
  await world.settle();
}

async function runPods(world: ControllerWorld): Promise<void> {
  await world.settle();
  const lastTransitionTime = new Date(world.clock.nowMs()).toISOString();
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] };
  for (const one of await world.list<Pod>(podsPath))
    if (one.status?.phase === undefined) world.api.put(`${podsPath}/${one.metadata.name ?? ''}`, { ...one, status });
  await world.settle();
}

async function runAll(world: ControllerWorld): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    await runPods(world);
    // Conflicts are tried again after a moment.
    await world.clock.advance(50);
  }
  await world.settle();
}

async function setOf(world: ControllerWorld): Promise<StatefulSet> {
  const [one] = await world.list<StatefulSet>('/apis/apps/v1/namespaces/ns/statefulsets');
  assert.ok(one !== undefined);
  return one;
}

async function names(world: ControllerWorld): Promise<string[]> {
  return (await world.list<Pod>(podsPath)).map(({ metadata }) => metadata.name ?? '');
}

async function images(world: ControllerWorld): Promise<string[]> {
  const all = await world.list<Pod>(podsPath);
  return all.map(({ metadata, spec }) => `${metadata.name ?? ''} ${spec?.containers?.[0]?.image ?? ''}`);
}
