import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type ControllerWorld, controllerWorld } from '#kit/controller-world.ts';
import { parseCron } from '#formats/cron.ts';
import type { CronJob, Job } from '#kube/types/gen/batch-v1.ts';

import { cronJobController } from './cron-job.ts';
import { nextCronTime } from './cron-times.ts';
import { planCronJob } from './plan-cron-job.ts';

const minute = 60_000;

describe('the next time of a schedule', () => {
  for (const [schedule, zone, after, expected] of [
    ['*/5 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'],
    ['0 0 * * *', 'UTC', '2026-01-01T00:00:01Z', '2026-01-02T00:00:00Z'],
    ['@yearly', 'UTC', '2026-03-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['0 9 * * 1', 'Europe/Berlin', '2026-07-01T00:00:00Z', '2026-07-06T07:00:00Z'],
    ['30 4 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-01T23:00:00Z'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 13 * 5', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    // The hour that summer time leaves out.
    ['30 2 29 3 *', 'Europe/Berlin', '2026-03-01T00:00:00Z', '2027-03-29T00:30:00Z'],
  ] as const)
    test(`${schedule} in ${zone} after ${after}`, () => {
      const at = nextCronTime(parseCron(schedule), Date.parse(after), zone);
      assert.equal(at === undefined ? '' : new Date(at).toISOString().replace('.000', ''), expected);
    });

  test('is none for a day that never comes', () => {
    assert.equal(nextCronTime(parseCron('0 0 31 2 *'), 0, 'UTC'), undefined);
  });
});

describe('what is due', () => {
  const one = (spec: object, created = '2026-01-01T00:00:00Z'): CronJob => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'c', creationTimestamp: created },
    spec: { schedule: '* * * * *', ...spec },
  });
  const now = Date.parse('2026-01-01T10:00:30Z');

  test('is the latest time that passed, however many did', () => {
    const plan = planCronJob(one({}), now);
    assert.equal(plan.dueMs, now - 30_000);
    assert.equal(plan.nextMs, now + 30_000);
    assert.ok(plan.missed > 100);
  });

  test('is nothing when the deadline is over', () => {
    const plan = planCronJob(one({ startingDeadlineSeconds: 10 }), now);
    assert.deepEqual([plan.dueMs, plan.isTooLate], [undefined, true]);
  });
});

describe('a CronJob', () => {
  test('starts a job for each time, once', async () => {
    await using world = started({});
    await world.settle();
    assert.equal((await jobs(world)).length, 0);
    await world.clock.advance(minute + 200);
    await world.settle();
    const [job] = await jobs(world);
    assert.equal(job?.metadata.name, `c-${String(Date.parse('2026-01-01T00:01:00Z') / minute)}`);
    await world.clock.advance(minute);
    await world.settle();
    assert.equal((await jobs(world)).length, 2);
    assert.equal((await cronJobOf(world)).status?.active?.length, 2);
    assert.equal((await cronJobOf(world)).status?.lastScheduleTime, '2026-01-01T00:02:00Z');
    assert.deepEqual(world.failures, []);
  });

  test('waits for the one before, or replaces it', async () => {
    for (const [concurrencyPolicy, first] of [
      ['Forbid', true],
      ['Replace', false],
    ] as const) {
      await using world = started({ concurrencyPolicy });
      await world.settle();
      await world.clock.advance(2 * minute + 200);
      await world.settle();
      const names = (await jobs(world)).map(({ metadata }) => metadata.name ?? '');
      assert.equal(names.length, 1, concurrencyPolicy);
      assert.equal(names[0]?.endsWith(String(Date.parse('2026-01-01T00:01:00Z') / minute)), first);
    }
  });

  test('keeps as many jobs that ended as it is to', async () => {
    await using world = started({ successfulJobsHistoryLimit: 1 });
    await world.settle();
    for (let index = 0; index < 3; index += 1) {
      await world.clock.advance(minute + 100);
      await world.settle();
      for (const job of await jobs(world)) {
        const status = { completionTime: '2026-01-01T00:03:00Z', conditions: [{ type: 'Complete', status: 'True' }] };
        world.api.put(`/apis/batch/v1/namespaces/ns/jobs/${job.metadata.name ?? ''}`, { ...job, status });
      }
      await world.settle();
    }
    assert.equal((await jobs(world)).length, 1);
    const { status } = await cronJobOf(world);
    assert.equal(status?.active, undefined);
    assert.equal(status?.lastSuccessfulTime, '2026-01-01T00:03:00Z');
  });

  test('that is suspended starts nothing', async () => {
    await using world = started({ suspend: true });
    await world.settle();
    await world.clock.advance(5 * minute);
    assert.deepEqual(await jobs(world), []);
  });
});

function started(spec: object): ControllerWorld {
  const world = controllerWorld(cronJobController);
  world.api.put('/apis/batch/v1/namespaces/ns/cronjobs/c', {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'c', namespace: 'ns', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: {} }, ...spec },
  });
  return world;
}

async function jobs(world: ControllerWorld): Promise<Job[]> {
  return world.list<Job>('/apis/batch/v1/namespaces/ns/jobs');
}

async function cronJobOf(world: ControllerWorld): Promise<CronJob> {
  const [one] = await world.list<CronJob>('/apis/batch/v1/namespaces/ns/cronjobs');
  assert.ok(one !== undefined);
  return one;
}
