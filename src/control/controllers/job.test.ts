import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { type ControllerWorld, controllerWorld } from '#kit/controller-world.ts';
import type { Job } from '#kube/types/gen/batch-v1.ts';
import type { Event, Pod } from '#kube/types/gen/core-v1.ts';

import { indexesText, parseIndexes } from './job-indexes.ts';
import { jobController } from './job.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';

describe('a job', () => {
  test('runs pods until enough have succeeded', async () => {
    await using world = started({ completions: 3, parallelism: 2 });
    await world.settle();
    assert.equal((await pods(world)).length, 2);
    await end(world, 'Succeeded');
    assert.equal((await pods(world)).length, 3);
    await end(world, 'Succeeded');
    const { status } = await jobOf(world);
    assert.equal(status?.succeeded, 3);
    assert.deepEqual(conditions(await jobOf(world)), [
      ['SuccessCriteriaMet', 'CompletionsReached'],
      ['Complete', 'CompletionsReached'],
    ]);
    assert.ok(status?.completionTime !== undefined && status.startTime !== undefined);
    assert.ok((await pods(world)).every(({ metadata }) => (metadata.finalizers ?? []).length === 0));
    const told = (await world.list<Event>('/api/v1/events')).map(({ reason }) => reason ?? '');
    assert.deepEqual([...new Set(told)].toSorted(), ['Completed', 'SuccessfulCreate']);
    assert.deepEqual(world.failures, []);
  });

  test('pauses after failures, twice as long each time, and gives up', async () => {
    await using world = started({ completions: 1, parallelism: 1, backoffLimit: 1 });
    await world.settle();
    await end(world, 'Failed');
    assert.equal((await pods(world)).length, 1);
    await world.clock.advance(10_001);
    await world.settle();
    assert.equal((await pods(world)).length, 2);
    await end(world, 'Failed');
    assert.deepEqual(conditions(await jobOf(world)), [
      ['FailureTarget', 'BackoffLimitExceeded'],
      ['Failed', 'BackoffLimitExceeded'],
    ]);
    assert.equal((await jobOf(world)).status?.failed, 2);
  });

  test('with indexes gives each pod its own, and names it', async () => {
    await using world = started({ completions: 3, parallelism: 3, completionMode: 'Indexed' });
    await world.settle();
    const all = await pods(world);
    assert.deepEqual(all.map(({ spec }) => spec?.hostname ?? '').toSorted(), ['j-0', 'j-1', 'j-2']);
    const key = 'batch.kubernetes.io/job-completion-index';
    assert.deepEqual(all.map(({ metadata }) => metadata.labels?.[key] ?? '').toSorted(), ['0', '1', '2']);
    await end(world, 'Succeeded');
    assert.equal((await jobOf(world)).status?.completedIndexes, '0-2');
  });

  test('fails when its rules say so, and does not count what they ignore', async () => {
    const rules = [
      { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ];
    const spec = { completions: 1, parallelism: 1, podFailurePolicy: { rules }, podReplacementPolicy: 'Failed' };
    await using world = started({ ...spec, backoffLimit: 0 });
    await world.settle();
    await end(world, 'Failed', { conditions: [{ type: 'DisruptionTarget', status: 'True' }] });
    await world.clock.advance(10_001);
    await world.settle();
    assert.equal((await jobOf(world)).status?.failed, undefined);
    await end(world, 'Failed', { containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 42 } } }] });
    const failed = (await jobOf(world)).status?.conditions?.find(({ type }) => type === 'Failed');
    assert.equal(failed?.reason, 'PodFailurePolicy');
    assert.match(
      failed?.message ?? '',
      /^Container c for pod ns\/j-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
    );
  });

  test('can be held, and goes on', async () => {
    await using world = started({ completions: 1, parallelism: 1, suspend: true });
    await world.settle();
    assert.equal((await pods(world)).length, 0);
    assert.deepEqual(conditions(await jobOf(world)), [['Suspended', 'JobSuspended']]);
    world.api.put('/apis/batch/v1/namespaces/ns/jobs/j', { ...(await jobOf(world)), spec: specOf({ completions: 1 }) });
    await world.settle();
    assert.equal((await pods(world)).length, 1);
    assert.deepEqual(conditions(await jobOf(world)), [['Suspended', 'JobResumed']]);
  });

  test('ends with its deadline, and is deleted when its time is over', async () => {
    await using world = started({ completions: 1, activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 60 });
    await world.settle();
    await world.clock.advance(5001);
    await world.settle();
    const [failed] = conditions(await jobOf(world));
    assert.deepEqual(failed, ['FailureTarget', 'DeadlineExceeded']);
    await world.clock.advance(61_000);
    await world.settle();
    assert.deepEqual(await world.list('/apis/batch/v1/jobs'), []);
  });

  test('counts each pod once, whatever ends when', async () => {
    const ends = fc.array(fc.constantFrom('Succeeded', 'Failed', 'wait'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        ends,
        async (completions, parallelism, all) => {
          await using world = started({ completions, parallelism, backoffLimit: 100 });
          await world.settle();
          for (const what of all) {
            if (what === 'wait') await world.clock.advance(700_000);
            else await end(world, what, {}, 1);
            await world.settle();
            const active = (await pods(world)).filter(({ status }) => status?.phase === undefined);
            assert.ok(active.length <= parallelism);
          }
          const phases = (await pods(world)).map(({ status }) => status?.phase);
          const { status } = await jobOf(world);
          assert.equal(status?.succeeded ?? 0, phases.filter((phase) => phase === 'Succeeded').length);
          assert.equal(status?.failed ?? 0, phases.filter((phase) => phase === 'Failed').length);
          assert.ok((status?.succeeded ?? 0) <= completions);
          assert.deepEqual(world.failures, []);
        },
      ),
      { numRuns: 15 },
    );
  });
});

test('indexes are written in ranges and read again', () => {
  assert.equal(indexesText(new Set([5, 0, 1, 2, 7, 8])), '0-2,5,7,8');
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 99 })), (indexes) => {
      assert.deepEqual(parseIndexes(indexesText(new Set(indexes)), 100), new Set(indexes.toSorted((a, b) => a - b)));
    }),
  );
});

function started(spec: Record<string, unknown>): ControllerWorld {
  const world = controllerWorld(jobController, ttlAfterFinishedController);
  const metadata = { name: 'j', namespace: 'ns', uid: 'u1' };
  world.api.put('/apis/batch/v1/namespaces/ns/jobs/j', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: specOf(spec),
  });
  return world;
}

function specOf(spec: Record<string, unknown>) {
  const template = {
    metadata: { labels: { uid: 'u1' } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'c' }] },
  };
  return { selector: { matchLabels: { uid: 'u1' } }, template, ...spec };
}

async function pods(world: ControllerWorld): Promise<Pod[]> {
  return world.list<Pod>('/api/v1/namespaces/ns/pods');
}

async function jobOf(world: ControllerWorld): Promise<Job> {
  const [job] = await world.list<Job>('/apis/batch/v1/namespaces/ns/jobs');
  assert.ok(job !== undefined);
  return job;
}

function conditions(job: Job) {
  return (job.status?.conditions ?? []).map(({ type, reason }) => [type, reason]);
}

/** Lets pods that run end. */
async function end(world: ControllerWorld, phase: string, more: object = {}, most = Infinity): Promise<void> {
  const running = (await pods(world)).filter(({ status }) => status?.phase === undefined);
  for (const pod of running.slice(0, most)) {
    const terminated = { exitCode: 0, finishedAt: new Date(world.clock.nowMs()).toISOString() };
    const status = { phase, containerStatuses: [{ name: 'c', state: { terminated } }], ...more };
    world.api.put(`/api/v1/namespaces/ns/pods/${pod.metadata.name ?? ''}`, { ...pod, status });
  }
  await world.settle();
  await world.settle();
}
