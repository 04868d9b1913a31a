import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type ControllerWorld, controllerWorld } from '#kit/controller-world.ts';
import { forbidden } from '#kube/status.ts';
import type { ReplicaSet } from '#kube/types/gen/apps-v1.ts';
import type { Event, Pod } from '#kube/types/gen/core-v1.ts';

import { victims } from './pod-victims.ts';
import { replicaSetController } from './replica-set.ts';
import { replicationControllerController } from './replication-controller.ts';

const sets = '/apis/apps/v1/namespaces/ns/replicasets';
const pods = '/api/v1/namespaces/ns/pods';

describe('a replica set', () => {
  test('makes as many pods as it is to have, never more, and says so', async () => {
    await using world = started(20);
    await world.settle();
    const all = await world.list<Pod>(pods);
    assert.equal(all.length, 20);
    assert.match(all[0]?.metadata.name ?? '', /^web-[a-z0-9]{5}$/);
    assert.deepEqual(all[0]?.metadata.ownerReferences?.[0], {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'web',
      uid: 'u1',
      controller: true,
      blockOwnerDeletion: true,
    });
    assert.equal((await setOf(world)).status?.replicas, 20);
    const [first] = await world.list<Event>('/api/v1/events');
    assert.equal(first?.reason, 'SuccessfulCreate');
    assert.match(first?.message ?? '', /^Created pod: web-/);
    assert.deepEqual(world.failures, []);
  });

  test('gives up what it has too much, and those first that are not ready', async () => {
    await using world = started(3);
    await world.settle();
    const [one, two] = await world.list<Pod>(pods);
    for (const each of [one, two]) ready(world, each);
    world.api.put(`${sets}/web`, setWith(2));
    await world.settle();
    const left = (await world.list<Pod>(pods)).map(({ metadata }) => metadata.name);
    assert.deepEqual(left, [one?.metadata.name, two?.metadata.name]);
    const { status } = await setOf(world);
    assert.deepEqual([status?.replicas, status?.readyReplicas, status?.availableReplicas], [2, 2, 2]);
  });

  test('replaces pods that failed', async () => {
    await using world = started(1);
    await world.settle();
    const [one] = await world.list<Pod>(pods);
    world.api.put(`${pods}/${one?.metadata.name ?? ''}`, { ...one, status: { phase: 'Failed' } });
    await world.settle();
    assert.equal((await world.list<Pod>(pods)).length, 2);
    assert.equal((await setOf(world)).status?.replicas, 1);
  });

  test('adopts pods that it means, and lets go of those that it no longer means', async () => {
    await using world = started(1, (api) => api.put(`${pods}/lost`, podWith({ name: 'lost' })));
    await world.settle();
    const [lost, ...others] = await world.list<Pod>(pods);
    assert.deepEqual([lost?.metadata.ownerReferences?.[0]?.uid, others.length], ['u1', 0]);
    const labels = { app: 'other' };
    world.api.put(`${pods}/lost`, { ...lost, metadata: { ...lost?.metadata, labels } });
    await world.settle();
    const now = await world.list<Pod>(pods);
    assert.equal(now.length, 2);
    assert.deepEqual(now.find(({ metadata }) => metadata.name === 'lost')?.metadata.ownerReferences, []);
  });

  test('waits as long as pods have to be ready', async () => {
    await using world = started(1, undefined, { minReadySeconds: 30 });
    await world.settle();
    ready(world, (await world.list<Pod>(pods))[0]);
    await world.settle();
    assert.equal((await setOf(world)).status?.availableReplicas, 0);
    await world.clock.advance(31_000);
    await world.settle();
    assert.equal((await setOf(world)).status?.availableReplicas, 1);
  });

  test('says why pods cannot be made, tries again, and forgets it then', async () => {
    const error = forbidden({ group: '', resource: 'pods' }, 'web-x', 'exceeded quota: q');
    await using world = started(4, (api) =>
      api.failures.push(...Array.from({ length: 3 }, () => ({ match: `POST ${pods}`, error }))),
    );
    await world.settle();
    const [condition] = (await setOf(world)).status?.conditions ?? [];
    assert.deepEqual(
      [condition?.type, condition?.reason, condition?.message],
      ['ReplicaFailure', 'FailedCreate', 'pods "web-x" is forbidden: exceeded quota: q'],
    );
    const [event] = await world.list<Event>('/api/v1/events');
    assert.equal(event?.message, 'Error creating: pods "web-x" is forbidden: exceeded quota: q');
    await world.clock.advance(1000);
    await world.settle();
    assert.equal((await world.list<Pod>(pods)).length, 4);
    assert.equal((await setOf(world)).status?.conditions, undefined);
  });
});

test('a replication controller keeps pods as a replica set does', async () => {
  await using world = controllerWorld(replicationControllerController);
  const spec = { ...setWith(2)['spec'], selector: { app: 'web' } };
  const object = { ...setWith(2), apiVersion: 'v1', kind: 'ReplicationController', spec };
  world.api.put('/api/v1/namespaces/ns/replicationcontrollers/web', object);
  await world.settle();
  const all = await world.list<Pod>(pods);
  assert.deepEqual(
    all.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind),
    ['ReplicationController', 'ReplicationController'],
  );
});

test('pods are given up in the order in which they are missed least', () => {
  const time = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
  const running = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time(0) }] };
  const young = { ...running, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time(3000) }] };
  const on = (nodeName: string) => ({ nodeName });
  const cost = { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } };
  const expected = [
    podWith({ name: 'unassigned' }, {}, { phase: 'Running' }),
    podWith({ name: 'pending' }, on('a'), { phase: 'Pending' }),
    podWith({ name: 'unready' }, on('a'), { phase: 'Running' }),
    podWith({ name: 'cheap', ...cost }, on('b'), running),
    podWith({ name: 'crowded-young' }, on('a'), young),
    podWith({ name: 'crowded-restarted' }, on('a'), { ...running, containerStatuses: [{ restartCount: 3 }] }),
    podWith({ name: 'crowded' }, on('a'), running),
    podWith({ name: 'alone' }, on('c'), running),
  ] as unknown as Pod[];
  const order = victims(expected.toReversed(), expected, Date.parse(time(3600)));
  assert.deepEqual(
    order.map(({ metadata }) => metadata.name),
    expected.map(({ metadata }) => metadata.name),
  );
});

function started(
  replicas: number,
  before?: (api: ControllerWorld['api']) => unknown,
  more: Record<string, unknown> = {},
): ControllerWorld {
  const world = controllerWorld(replicaSetController);
  before?.(world.api);
  world.api.put(`${sets}/web`, setWith(replicas, more));
  return world;
}

function setWith(replicas: number, more: Record<string, unknown> = {}) {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c' }] } };
  const metadata = { name: 'web', namespace: 'ns', uid: 'u1', generation: 1 };
  const spec = { replicas, selector: { matchLabels: { app: 'web' } }, template, ...more };
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec };
}

function podWith(metadata: Record<string, unknown>, spec: object = {}, status: object = {}) {
  const labels = { app: 'web' };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'ns', labels, ...metadata }, spec, status };
}

function ready(world: ControllerWorld, one: Pod | undefined): void {
  const lastTransitionTime = new Date(world.clock.nowMs()).toISOString();
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] };
  world.api.put(`${pods}/${one?.metadata.name ?? ''}`, { ...one, status });
}

async function setOf(world: ControllerWorld): Promise<ReplicaSet> {
  const [one] = await world.list<ReplicaSet>(sets);
  assert.ok(one !== undefined);
  return one;
}
