import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type ControllerWorld, controllerWorld } from '#kit/controller-world.ts';
import type { DaemonSet } from '#kube/types/gen/apps-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { targetOf } from './daemon-pod.ts';
import { daemonSetController } from './daemon-set.ts';

const path = '/apis/apps/v1/namespaces/ns/daemonsets/log';
const podsPath = '/api/v1/namespaces/ns/pods';

describe('a daemon set', () => {
  test('has one pod on each node that it means, also on those that come', async () => {
    await using world = started({}, { nodeSelector: { disk: 'ssd' } });
    putNode(world, 'a', { labels: { disk: 'ssd' } });
    putNode(world, 'b', { labels: { disk: 'ssd' } }, [{ key: 'k', effect: 'NoSchedule' }]);
    putNode(world, 'c', {}, []);
    await world.settle();
    assert.deepEqual(await places(world), ['a one']);
    putNode(world, 'b', { labels: { disk: 'ssd' } });
    await world.settle();
    assert.deepEqual(await places(world), ['a one', 'b one']);
    const { status } = await setOf(world);
    assert.deepEqual([status?.desiredNumberScheduled, status?.currentNumberScheduled], [2, 2]);
    const [one] = await world.list<Pod>(podsPath);
    assert.ok(one?.spec?.tolerations?.some(({ key }) => key === 'node.kubernetes.io/unschedulable'));
    putNode(world, 'a', { labels: { disk: 'none' } });
    await world.settle();
    assert.deepEqual(await places(world), ['b one']);
    assert.deepEqual(world.failures, []);
  });

  test('replaces pods of an earlier template one node at a time', async () => {
    await using world = started({});
    for (const name of ['a', 'b', 'c']) putNode(world, name);
    await runPods(world);
    await change(world, {});
    assert.deepEqual(await places(world), ['a two', 'b one', 'c one']);
    await runPods(world);
    assert.deepEqual(await places(world), ['a two', 'b two', 'c one']);
    await runPods(world);
    await runPods(world);
    const { status } = await setOf(world);
    assert.deepEqual([status?.updatedNumberScheduled, status?.numberAvailable], [3, 3]);
  });

  test('with surge makes the new pod first', async () => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await using world = started({ updateStrategy });
    for (const name of ['a', 'b']) putNode(world, name);
    await runPods(world);
    await change(world, { updateStrategy });
    assert.deepEqual(await places(world), ['a one', 'a two', 'b one']);
    await runPods(world);
    assert.deepEqual(await places(world), ['a two', 'b one', 'b two']);
    await runPods(world);
    assert.deepEqual(await places(world), ['a two', 'b two']);
  });

  test('that updates when pods are deleted leaves them, and makes a failed one again', async () => {
    const updateStrategy = { type: 'OnDelete' };
    await using world = started({ updateStrategy });
    putNode(world, 'a');
    await runPods(world);
    await change(world, { updateStrategy });
    assert.deepEqual(await places(world), ['a one']);
    const [one] = await world.list<Pod>(podsPath);
    world.api.put(`${podsPath}/${one?.metadata.name ?? ''}`, { ...one, status: { phase: 'Failed' } });
    await world.settle();
    assert.deepEqual(await places(world), ['a two']);
  });
});

function started(spec: Record<string, unknown>, podSpec: Record<string, unknown> = {}): ControllerWorld {
  const world = controllerWorld(daemonSetController);
  const metadata = { name: 'log', namespace: 'ns', uid: 'u1', generation: 1 };
  world.api.put(path, { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: specOf(spec, 'one', podSpec) });
  return world;
}

function specOf(more: Record<string, unknown>, image: string, podSpec: Record<string, unknown> = {}) {
  const spec = { ...podSpec, containers: [{ name: 'c', image }] };
  return {
    selector: { matchLabels: { app: 'log' } },
    template: { metadata: { labels: { app: 'log' } }, spec },
    ...more,
  };
}

function putNode(world: ControllerWorld, name: string, metadata: object = {}, taints: readonly object[] = []): void {
  world.api.put(`/api/v1/nodes/${name}`, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...metadata },
    spec: { taints },
  });
}

async function change(world: ControllerWorld, spec: Record<string, unknown>): Promise<void> {
  const now = await setOf(world);
  world.api.put(path, { ...now, metadata: { ...now.metadata, generation: 2 }, spec: specOf(spec, 'two') });
  await world.settle();
}

async function runPods(world: ControllerWorld): Promise<void> {
  await world.settle();
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  for (const one of await world.list<Pod>(podsPath))
    if (one.status?.phase === undefined) world.api.put(`${podsPath}/${one.metadata.name ?? ''}`, { ...one, status });
  await world.settle();
  await world.clock.advance(50);
  await world.settle();
}

async function setOf(world: ControllerWorld): Promise<DaemonSet> {
  const [one] = await world.list<DaemonSet>('/apis/apps/v1/namespaces/ns/daemonsets');
  assert.ok(one !== undefined);
  return one;
}

async function places(world: ControllerWorld): Promise<string[]> {
  const all = await world.list<Pod>(podsPath);
  return all.map((one) => `${targetOf(one) ?? ''} ${one.spec?.containers?.[0]?.image ?? ''}`).toSorted();
}
