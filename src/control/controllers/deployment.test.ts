import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { type ControllerWorld, controllerWorld } from '#kit/controller-world.ts';
import { forbidden } from '#kube/status.ts';
import type { Deployment, ReplicaSet } from '#kube/types/gen/apps-v1.ts';
import type { Event, Pod } from '#kube/types/gen/core-v1.ts';

import { deploymentController } from './deployment.ts';
import { replicaSetController } from './replica-set.ts';

const path = '/apis/apps/v1/namespaces/ns/deployments/web';
const setsPath = '/apis/apps/v1/namespaces/ns/replicasets';
const podsPath = '/api/v1/namespaces/ns/pods';
const revision = 'deployment.kubernetes.io/revision';

describe('a deployment', () => {
  test('makes a set of its template, and says how it gets on', async () => {
    await using world = started({ replicas: 3 });
    await world.settle();
    const [set] = await world.list<ReplicaSet>(setsPath);
    const hash = set?.metadata.labels?.['pod-template-hash'] ?? '';
    assert.equal(set?.metadata.name, `web-${hash}`);
    assert.deepEqual(set.spec?.selector?.matchLabels, { app: 'web', 'pod-template-hash': hash });
    assert.deepEqual(set.metadata.annotations, {
      [revision]: '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    });
    assert.equal((await deploymentOf(world)).metadata.annotations?.[revision], '1');
    const [event] = (await world.list<Event>('/api/v1/events')).filter(({ reason }) => reason === 'ScalingReplicaSet');
    assert.equal(event?.message, `Scaled up replica set web-${hash} from 0 to 3`);
    assert.deepEqual(await conditions(world), ['Available=False', 'Progressing=True ReplicaSetUpdated']);
    await runUntilQuiet(world);
    const { status } = await deploymentOf(world);
    assert.deepEqual([status?.replicas, status?.updatedReplicas, status?.availableReplicas], [3, 3, 3]);
    assert.equal(status?.unavailableReplicas, undefined);
    assert.deepEqual(await conditions(world), ['Available=True', 'Progressing=True NewReplicaSetAvailable']);
    assert.deepEqual(world.failures, []);
  });

  test('goes from template to template, keeps the history, and goes back', async () => {
    await using world = started({ replicas: 4, revisionHistoryLimit: 1 });
    await runUntilQuiet(world);
    for (const image of ['two', 'three']) {
      await change(world, { image });
      await runUntilQuiet(world);
    }
    assert.deepEqual(await setsOf(world), ['two 2: 0', 'three 3: 4']);
    await change(world, { image: 'two' });
    await runUntilQuiet(world);
    assert.deepEqual(await setsOf(world), ['three 3: 0', 'two 4: 4']);
    const sets = await world.list<ReplicaSet>(setsPath);
    const histories = sets.map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision-history']);
    assert.deepEqual(
      histories.filter((one) => one !== undefined),
      ['2'],
    );
    assert.equal((await deploymentOf(world)).metadata.annotations?.[revision], '4');
  });

  test('holds when it is paused, but takes another number of replicas, and goes on', async () => {
    await using world = started({ replicas: 2 });
    await runUntilQuiet(world);
    await change(world, { image: 'two', spec: { paused: true, replicas: 3 } });
    await runUntilQuiet(world);
    assert.deepEqual(await setsOf(world), ['one 1: 3']);
    assert.ok((await conditions(world)).includes('Progressing=Unknown DeploymentPaused'));
    await change(world, { image: 'two', spec: { paused: false, replicas: 3 } });
    await runUntilQuiet(world);
    assert.deepEqual(await setsOf(world), ['one 1: 0', 'two 2: 3']);
  });

  test('that recreates starts no pod before all old ones are gone', async () => {
    await using world = started({ replicas: 2, strategy: { type: 'Recreate' } });
    await runUntilQuiet(world);
    const [old] = await world.list<Pod>(podsPath);
    const name = old?.metadata.name ?? '';
    await change(world, { image: 'two', spec: { strategy: { type: 'Recreate' }, replicas: 2 } });
    // A pod that takes its time to go.
    const metadata = { ...old?.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    world.api.put(`${podsPath}/${name}`, { ...old, metadata });
    await world.settle();
    assert.deepEqual(await setsOf(world), ['one 1: 0']);
    world.api.remove(`${podsPath}/${name}`);
    await runUntilQuiet(world);
    assert.deepEqual(await setsOf(world), ['one 1: 0', 'two 2: 2']);
  });

  test('says when it gets on no more', async () => {
    await using world = started({ replicas: 1, progressDeadlineSeconds: 60 });
    await world.settle();
    await world.clock.advance(62_000);
    await world.settle();
    assert.ok((await conditions(world)).includes('Progressing=False ProgressDeadlineExceeded'));
    const timedOut = (await deploymentOf(world)).status?.conditions?.find(({ type }) => type === 'Progressing');
    assert.match(timedOut?.message ?? '', /^ReplicaSet "web-\w+" has timed out progressing\.$/);
    await runUntilQuiet(world);
    assert.ok((await conditions(world)).includes('Progressing=True NewReplicaSetAvailable'));
  });

  test('takes another name when a set of its name is not its own', async () => {
    await using world = started({ replicas: 1 });
    await world.settle();
    const [set] = await world.list<ReplicaSet>(setsPath);
    const name = set?.metadata.name ?? '';
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Other', name: 'o', uid: 'other', controller: true }];
    world.api.put(`${setsPath}/${name}`, { ...set, metadata: { ...set?.metadata, ownerReferences } });
    await world.settle();
    await world.clock.advance(1000);
    await world.settle();
    assert.equal((await deploymentOf(world)).status?.collisionCount, 1);
    assert.equal((await world.list<ReplicaSet>(setsPath)).length, 2);
  });

  test('says that its set cannot be made', async () => {
    const error = forbidden({ group: 'apps', resource: 'replicasets' }, 'web-x', 'exceeded quota: q');
    await using world = started({ replicas: 1 }, (api) =>
      api.failures.push(...Array.from({ length: 3 }, () => ({ match: `POST ${setsPath}`, error }))),
    );
    await world.settle();
    assert.deepEqual(await conditions(world), ['Progressing=False ReplicaSetCreateError']);
    await world.clock.advance(1000);
    await runUntilQuiet(world);
    assert.deepEqual(await setsOf(world), ['one 1: 1']);
  });

  test('is never short of pods nor has too many, whatever changes when', async () => {
    const action = fc.record({
      image: fc.constantFrom('one', 'two', 'three'),
      turns: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(action, { maxLength: 6 }),
        async (replicas, maxSurge, maxUnavailable, actions) => {
          const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } };
          const spec = { replicas, strategy };
          await using world = started(spec);
          await runUntilQuiet(world);
          for (const { image, turns } of actions) {
            await change(world, { image, spec });
            await world.settle();
            for (let turn = 0; turn < turns; turn += 1) await runPods(world, 1);
            const all = await world.list<Pod>(podsPath);
            const available = all.filter(({ status }) => status?.phase === 'Running').length;
            assert.ok(all.length <= replicas + maxSurge, `${String(all.length)} pods`);
            assert.ok(available >= replicas - maxUnavailable, `${String(available)} available`);
          }
          await runUntilQuiet(world);
          const now = await deploymentOf(world);
          assert.equal(now.status?.availableReplicas, replicas);
          assert.equal(now.status?.updatedReplicas, replicas);
          assert.deepEqual(world.failures, []);
        },
      ),
      { numRuns: 15 },
    );
  });
});

function started(spec: Record<string, unknown>, before?: (api: ControllerWorld['api']) => unknown): ControllerWorld {
  const world = controllerWorld(deploymentController, replicaSetController);
  before?.(world.api);
  const metadata = { name: 'web', namespace: 'ns', uid: 'u1', generation: 1 };
  world.api.put(path, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: specOf('one', spec) });
  return world;
}

function specOf(image: string, more: Record<string, unknown>) {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } };
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } };
  const selector = { matchLabels: { app: 'web' } };
  return { selector, template, strategy, progressDeadlineSeconds: 600, revisionHistoryLimit: 10, ...more };
}

async function change(
  world: ControllerWorld,
  { image, spec }: { readonly image: string; readonly spec?: Record<string, unknown> },
): Promise<void> {
  const now = await deploymentOf(world);
  const generation = (now.metadata.generation ?? 0) + 1;
  const { replicas, revisionHistoryLimit } = now.spec ?? {};
  const next = specOf(image, spec ?? { replicas, revisionHistoryLimit });
  world.api.put(path, { ...now, metadata: { ...now.metadata, generation }, spec: next });
}

/** Lets pods that were made run and be ready. */
async function runPods(world: ControllerWorld, most = Infinity): Promise<number> {
  const waiting = (await world.list<Pod>(podsPath)).filter(({ status }) => status?.phase === undefined);
  const lastTransitionTime = new Date(world.clock.nowMs()).toISOString();
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] };
  for (const one of waiting.slice(0, most)) world.api.put(`${podsPath}/${one.metadata.name ?? ''}`, { ...one, status });
  await world.settle();
  return waiting.length;
}

async function runUntilQuiet(world: ControllerWorld): Promise<void> {
  await world.settle();
  for (let round = 0; round < 30; round += 1) {
    const count = await runPods(world);
    // Conflicts are tried again after a moment.
    await world.clock.advance(50);
    await world.settle();
    if (count === 0 && round > 1) return;
  }
  assert.fail('it does not come to rest');
}

async function deploymentOf(world: ControllerWorld): Promise<Deployment> {
  const [one] = await world.list<Deployment>('/apis/apps/v1/namespaces/ns/deployments');
  assert.ok(one !== undefined);
  return one;
}

async function setsOf(world: ControllerWorld): Promise<string[]> {
  const all = await world.list<ReplicaSet>(setsPath);
  const number = ({ metadata }: ReplicaSet): string => metadata.annotations?.[revision] ?? '';
  return all
    .toSorted((one, other) => Number(number(one)) - Number(number(other)))
    .map((one) => {
      const image = one.spec?.template?.spec?.containers?.[0]?.image ?? '';
      return `${image} ${number(one)}: ${String(one.spec?.replicas)}`;
    });
}

async function conditions(world: ControllerWorld): Promise<string[]> {
  const all = (await deploymentOf(world)).status?.conditions ?? [];
  return all
    .map(({ type = '', status = '', reason = '' }) =>
      type === 'Progressing' ? `${type}=${status} ${reason}` : `${type}=${status}`,
    )
    .toSorted();
}
