import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { controllerWorld } from '#kit/controller-world.ts';
import type { PodDisruptionBudget } from '#kube/types/gen/policy-v1.ts';

import { disruptionController } from './disruption.ts';

describe('a budget', () => {
  for (const [spec, ready, expected] of [
    [{ minAvailable: 2 }, 3, [1, 2, 3]],
    [{ minAvailable: 2 }, 2, [0, 2, 3]],
    [{ minAvailable: '50%' }, 4, [2, 2, 4]],
    [{ maxUnavailable: 1 }, 4, [1, 3, 4]],
    [{ maxUnavailable: '30%' }, 3, [1, 2, 4]],
    [{ maxUnavailable: 9 }, 1, [1, 0, 4]],
  ] as const)
    test(`of ${JSON.stringify(spec)} with ${String(ready)} ready pods`, async () => {
      await using world = controllerWorld(disruptionController);
      put(world, spec);
      const count = 'minAvailable' in spec && spec.minAvailable === 2 ? 3 : 4;
      for (let index = 0; index < count; index += 1) {
        const name = `p${String(index)}`;
        world.api.put(`/api/v1/namespaces/ns/pods/${name}`, pod(name, index < ready));
      }
      await world.settle();
      const { status } = await budgetOf(world);
      assert.deepEqual([status?.disruptionsAllowed, status?.desiredHealthy, status?.expectedPods], expected);
      assert.equal(status?.currentHealthy, ready);
      assert.equal(status?.conditions?.[0]?.status, expected[0] > 0 ? 'True' : 'False');
      assert.deepEqual(world.failures, []);
    });

  test('does not count a pod whose eviction was granted, for two minutes', async () => {
    await using world = controllerWorld(disruptionController);
    put(world, { minAvailable: 1 }, { p0: '2026-01-01T00:00:00Z' });
    world.api.put('/api/v1/namespaces/ns/pods/p0', pod('p0', true));
    world.api.put('/api/v1/namespaces/ns/pods/p1', pod('p1', true));
    await world.settle();
    assert.equal((await budgetOf(world)).status?.disruptionsAllowed, 0);
    await world.clock.advance(121_000);
    await world.settle();
    assert.equal((await budgetOf(world)).status?.disruptionsAllowed, 1);
    assert.equal((await budgetOf(world)).status?.disruptedPods, undefined);
  });
});

type Started = ReturnType<typeof controllerWorld>;

function put({ api }: Started, spec: object, disruptedPods?: object): void {
  api.put('/apis/policy/v1/namespaces/ns/poddisruptionbudgets/b', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'ns', generation: 1 },
    spec: { selector: { matchLabels: { app: 'x' } }, ...spec },
    ...(disruptedPods === undefined ? {} : { status: { disruptedPods } }),
  });
  api.put('/apis/apps/v1/namespaces/ns/replicasets/r', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'r', namespace: 'ns', uid: 'r1' },
    spec: { replicas: 4 },
  });
}

function pod(name: string, isReady: boolean) {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r1', controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', labels: { app: 'x' }, ownerReferences: [owner] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  };
}

async function budgetOf(world: Started): Promise<PodDisruptionBudget> {
  const [one] = await world.list<PodDisruptionBudget>('/apis/policy/v1/namespaces/ns/poddisruptionbudgets');
  assert.ok(one !== undefined);
  return one;
}
