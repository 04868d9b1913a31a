import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { controllerWorld } from '#kit/controller-world.ts';
import type { Event, Node, Pod } from '#kube/types/gen/core-v1.ts';

import { nodeLifecycleController } from './node-lifecycle.ts';
import { podGarbageController } from './pod-garbage.ts';
import { evictionMs, taintEvictionController } from './taint-eviction.ts';

const node = '/api/v1/nodes/n';
const unreachable = 'node.kubernetes.io/unreachable';

describe('a node', () => {
  test('that says nothing is unknown after 50 s, and its pods leave it when they no longer bear it', async () => {
    await using world = started();
    world.api.put(node, nodeObject('True'));
    renew(world);
    world.api.put(
      '/api/v1/namespaces/ns/pods/a',
      pod({ tolerations: [{ key: unreachable, operator: 'Exists', tolerationSeconds: 300 }] }),
    );
    await world.settle();
    await world.clock.advance(40_000);
    renew(world);
    await world.clock.advance(49_000);
    assert.deepEqual((await nodeOf(world)).spec?.taints ?? [], []);
    await world.clock.advance(2000);
    await world.settle();
    const silent = await nodeOf(world);
    assert.deepEqual(
      silent.spec?.taints?.map(({ key, effect }) => [key, effect]),
      [
        [unreachable, 'NoSchedule'],
        [unreachable, 'NoExecute'],
      ],
    );
    const ready = silent.status?.conditions?.find(({ type }) => type === 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['Unknown', 'NodeStatusUnknown']);
    assert.equal((await pods(world))[0]?.status?.conditions?.[0]?.status, 'False');
    await world.clock.advance(301_000);
    await world.settle();
    assert.deepEqual(await pods(world), []);
    const told = (await world.list<Event>('/api/v1/events')).map(({ reason }) => reason ?? '');
    assert.ok(told.includes('NodeNotReady') && told.includes('TaintManagerEviction'));
    assert.deepEqual(world.failures, []);
  });

  test('loses its taints when it is well again, and keeps those of others', async () => {
    await using world = started();
    const mine = { key: 'mine', effect: 'NoSchedule' };
    world.api.put(node, { ...nodeObject('False'), spec: { unschedulable: true, taints: [mine] } });
    renew(world);
    await world.settle();
    assert.deepEqual(
      (await nodeOf(world)).spec?.taints?.map(({ key }) => key?.replace('node.kubernetes.io/', '')),
      ['mine', 'not-ready', 'not-ready', 'unschedulable'],
    );
    world.api.put(node, { ...nodeObject('True'), spec: { taints: (await nodeOf(world)).spec?.taints } });
    await world.settle();
    assert.deepEqual((await nodeOf(world)).spec?.taints, [mine]);
  });

  test('that is gone takes its pods along, and pods of none that go are deleted', async () => {
    await using world = started();
    world.api.put('/api/v1/namespaces/ns/pods/a', pod({}));
    world.api.put('/api/v1/namespaces/ns/pods/b', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'b', namespace: 'ns', deletionTimestamp: '2026-01-01T00:00:00Z' },
      spec: {},
    });
    await world.settle();
    assert.deepEqual(
      (await pods(world)).map(({ metadata }) => metadata.name),
      ['a'],
    );
    await world.clock.advance(41_000);
    await world.settle();
    assert.deepEqual(await pods(world), []);
    assert.deepEqual(world.failures, []);
  });
});

test('a pod bears the taints that it tolerates, for as long as it says', () => {
  const timeAdded = '2026-01-01T00:00:00Z';
  const taint = { key: 'k', value: 'v', effect: 'NoExecute', timeAdded };
  const now = Date.parse(timeAdded) + 5000;
  for (const [toleration, expected] of [
    [undefined, now],
    [{ key: 'k', value: 'v' }, undefined],
    [{ key: 'k', value: 'w' }, now],
    [{ operator: 'Exists' }, undefined],
    [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }, now],
    [{ key: 'k', operator: 'Exists', tolerationSeconds: 60 }, now + 55_000],
    [{ key: 'k', operator: 'Exists', tolerationSeconds: -1 }, now - 5000],
  ] as const)
    assert.equal(evictionMs([taint], toleration === undefined ? [] : [toleration], now), expected);
  assert.equal(evictionMs([{ ...taint, effect: 'NoSchedule' }], [], now), undefined);
});

type Started = ReturnType<typeof controllerWorld>;

function started(): Started {
  return controllerWorld(nodeLifecycleController(), taintEvictionController, podGarbageController);
}

function renew({ api, clock }: Started): void {
  api.put('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'n', namespace: 'kube-node-lease' },
    spec: { renewTime: new Date(clock.nowMs()).toISOString() },
  });
}

function nodeObject(ready: string) {
  const conditions = [{ type: 'Ready', status: ready, lastHeartbeatTime: '2026-01-01T00:00:00Z' }];
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec: {}, status: { conditions } };
}

function pod(spec: object) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { nodeName: 'n', ...spec },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

async function nodeOf(world: Started): Promise<Node> {
  const [one] = await world.list<Node>('/api/v1/nodes');
  assert.ok(one !== undefined);
  return one;
}

async function pods(world: Started): Promise<Pod[]> {
  return world.list<Pod>('/api/v1/namespaces/ns/pods');
}
