import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Container, Pod } from '#kube/types/gen/core-v1.ts';
import { FakeClock, settle } from '#kit/fake-clock.ts';

import type { ContainerRun } from '../lifecycle/pod-now.ts';
import { PodProbes } from './pod-probes.ts';

const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name: 'web', uid: 'u' } };

function start(container: Container, of = pod, first: Record<string, boolean> = {}) {
  const clock = new FakeClock();
  const time = new Date(clock.nowMs()).toISOString();
  const run: ContainerRun = {
    id: 'c1',
    name: 'main',
    attempt: 0,
    state: 'running',
    startedAt: time,
    finishedAt: '',
    exitCode: 0,
    oomKilled: false,
    imageId: '',
  };
  const answers: Record<string, boolean> = { startup: true, live: true, ready: true, ...first };
  const asked: string[] = [];
  const events: string[] = [];
  const seen = { changes: 0 };
  const probes = new PodProbes({
    prober: async ({ exec }) => {
      const name = exec?.command?.[0] ?? '';
      asked.push(name);
      return { ok: answers[name] === true, message: `${name} says no` };
    },
    record: (_, type, reason, message) => void events.push(`${type} ${reason} ${message}`),
    onChange: () => void (seen.changes += 1),
    clock,
  });
  probes.follow(of, container, run, '10.0.0.1', 'slipway://c1');
  return { clock, answers, asked, events, seen, probes, run };
}

const probe = (name: string, more: object = {}): object => ({ exec: { command: [name] }, periodSeconds: 10, ...more });

test('nobody asks a container without probes', () => {
  assert.equal(start({ name: 'main' }).probes.stateOf('c1'), undefined);
});

test('ready is what answered well as often as it must, and no longer after it failed as often', async () => {
  const { clock, answers, events, probes, seen } = start({
    name: 'main',
    readinessProbe: probe('ready', { initialDelaySeconds: 5, successThreshold: 2, failureThreshold: 2 }),
  });
  await settle();
  assert.deepEqual(probes.stateOf('c1'), { started: true, ready: false, failed: undefined });
  await clock.advance(6000);
  assert.equal(probes.stateOf('c1')?.ready, false);
  await clock.advance(10_000);
  assert.equal(probes.stateOf('c1')?.ready, true);
  answers['ready'] = false;
  await clock.advance(10_000);
  assert.equal(probes.stateOf('c1')?.ready, true);
  await clock.advance(10_000);
  assert.equal(probes.stateOf('c1')?.ready, false);
  assert.equal(seen.changes, 2);
  assert.equal(events[0], 'Warning Unhealthy Readiness probe failed: ready says no');
  probes[Symbol.dispose]();
});

test('who does not live any more has to end; until it has started nobody asks for more', async () => {
  const { clock, answers, asked, probes } = start(
    {
      name: 'main',
      startupProbe: probe('startup'),
      livenessProbe: probe('live', { failureThreshold: 2, terminationGracePeriodSeconds: 7 }),
    },
    pod,
    { startup: false },
  );
  await clock.advance(11_000);
  assert.deepEqual(asked, ['startup', 'startup']);
  assert.equal(probes.stateOf('c1')?.started, false);
  answers['startup'] = true;
  await clock.advance(10_000);
  assert.equal(probes.stateOf('c1')?.started, true);
  answers['live'] = false;
  await clock.advance(20_000);
  assert.deepEqual(probes.stateOf('c1')?.failed, { kind: 'liveness', graceSeconds: 7 });
  const before = asked.length;
  await clock.advance(60_000);
  assert.equal(asked.length, before);
});

test('who never starts has to end, too', async () => {
  const { clock, probes } = start({ name: 'main', startupProbe: probe('startup') }, pod, { startup: false });
  await clock.advance(30_000);
  assert.deepEqual(probes.stateOf('c1')?.failed, { kind: 'startup', graceSeconds: undefined });
});

test('what was ready before this process began stays ready until it answers, and runs that ended are forgotten', async () => {
  const containerStatuses = [{ name: 'main', containerID: 'slipway://c1', ready: true, started: true }];
  const { answers, probes, clock } = start(
    { name: 'main', readinessProbe: probe('ready', { failureThreshold: 1, initialDelaySeconds: 5 }) },
    { ...pod, status: { containerStatuses } },
  );
  assert.equal(probes.stateOf('c1')?.ready, true);
  answers['ready'] = false;
  await clock.advance(6000);
  assert.equal(probes.stateOf('c1')?.ready, false);
  probes.keepOnly('u', []);
  await settle();
  assert.equal(probes.stateOf('c1'), undefined);
  assert.equal(clock.waiting, 0);
});
