import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Container, Pod, PodSpec } from '#kube/types/gen/core-v1.ts';

import { planPod } from './plan-pod.ts';
import type { ContainerRun, PodNow } from './pod-now.ts';
import { podStatusOf } from './pod-status.ts';

const startMs = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number): string => new Date(startMs + seconds * 1000).toISOString();
const sandbox = { id: 's', ips: ['10.244.0.5'] };

/** `web` runs, `web:1` has ended well once restarted, `web!3` ended with 3, `web?` was never started. */
function runOf(text: string): ContainerRun {
  const [, name = '', attempt = '0', sign = '', code = '0'] = /^([a-z]+)(?::(\d+))?([.!?]?)(\d*)$/.exec(text) ?? [];
  return {
    id: `${name}${attempt}`,
    name,
    attempt: Number(attempt),
    state: sign === '' ? 'running' : sign === '?' ? 'created' : 'exited',
    startedAt: at(0),
    finishedAt: at(1),
    exitCode: Number(code),
    oomKilled: false,
    imageId: 'sha256:i',
  };
}

function podWith(spec: PodSpec, metadata: Pod['metadata'] = {}, status: Pod['status'] = {}): Pod {
  const named = { name: 'web', namespace: 'shop', uid: 'u', ...metadata };
  return { apiVersion: 'v1', kind: 'Pod', metadata: named, spec, status };
}

function stepsOf(pod: Pod, now: PodNow, seconds: number): string {
  const { steps, againAtMs } = planPod(pod, now, startMs + seconds * 1000);
  const words = steps.map((step) => {
    if (step.step === 'start') return `start ${step.container.name ?? ''} ${String(step.attempt)}`;
    if (step.step === 'stop') return `stop ${step.run.name} ${String(step.graceSeconds)}`;
    return step.step === 'remove' ? `remove ${step.run.id}` : step.step;
  });
  return [...words, ...(againAtMs === undefined ? [] : [`again ${String((againAtMs - startMs) / 1000)}`])].join(', ');
}

const main: Container[] = [{ name: 'web' }];
const both: Container[] = [{ name: 'web' }, { name: 'log' }];
const init: Container[] = [{ name: 'init' }];
const sidecar: Container[] = [{ name: 'side', restartPolicy: 'Always' }, { name: 'init' }];
const deleted = { deletionTimestamp: at(0), deletionGracePeriodSeconds: 7 };

const rows: readonly (readonly [what: string, pod: Pod, runs: string, seconds: number, steps: string])[] = [
  ['a new pod', podWith({ containers: both }), '', 0, 'start web 0, start log 0'],
  ['all runs', podWith({ containers: both }), 'web log', 0, ''],
  ['a start that was cut off', podWith({ containers: main }), 'web?', 0, 'remove web0, start web 0'],
  ['the first end', podWith({ containers: main }), 'web.', 2, 'start web 1'],
  ['the second end waits', podWith({ containers: main }), 'web:1!3', 2, 'again 11'],
  ['and then goes on', podWith({ containers: main }), 'web:1!3', 11, 'start web 2'],
  ['never longer than five minutes', podWith({ containers: main }), 'web:20!3', 2, 'again 301'],
  ['older runs go', podWith({ containers: main }), 'web:2 web:1. web.', 0, 'remove web0'],
  ['OnFailure, well', podWith({ containers: both, restartPolicy: 'OnFailure' }), 'web. log', 2, ''],
  ['OnFailure, badly', podWith({ containers: main, restartPolicy: 'OnFailure' }), 'web!1', 2, 'start web 1'],
  ['Never', podWith({ containers: main, restartPolicy: 'Never' }), 'web!1', 2, 'close'],
  ['all done', podWith({ containers: main, restartPolicy: 'OnFailure' }), 'web.', 2, 'close'],
  ['init first', podWith({ initContainers: init, containers: main }), '', 0, 'start init 0'],
  ['init runs', podWith({ initContainers: init, containers: main }), 'init', 0, ''],
  ['init done', podWith({ initContainers: init, containers: main }), 'init.', 0, 'start web 0'],
  ['init failed', podWith({ initContainers: init, containers: main }), 'init!1', 2, 'start init 1'],
  [
    'init failed for good',
    podWith({ initContainers: init, containers: main, restartPolicy: 'Never' }),
    'init!1',
    2,
    'close',
  ],
  ['sidecar first', podWith({ initContainers: sidecar, containers: main }), '', 0, 'start side 0'],
  ['then init', podWith({ initContainers: sidecar, containers: main }), 'side', 0, 'start init 0'],
  ['then all', podWith({ initContainers: sidecar, containers: main }), 'side init.', 0, 'start web 0'],
  [
    'a sidecar is started again',
    podWith({ initContainers: sidecar, containers: main }),
    'side. init. web',
    2,
    'start side 1',
  ],
  [
    'a sidecar ends after the others',
    podWith({ initContainers: sidecar, containers: main }, deleted),
    'side init. web',
    0,
    'stop web 7',
  ],
  ['and then', podWith({ initContainers: sidecar, containers: main }, deleted), 'side init. web.', 0, 'stop side 7'],
  [
    'a sidecar does not keep a pod',
    podWith({ initContainers: sidecar, containers: main, restartPolicy: 'Never' }),
    'side init. web.',
    2,
    'stop side 30',
  ],
  ['deletion', podWith({ containers: both }, deleted), 'web log', 0, 'stop web 7, stop log 7'],
  ['deletion ends', podWith({ containers: main }, deleted), 'web.', 0, 'remove web0, close, forget'],
  [
    'an ephemeral one',
    podWith({ containers: main, ephemeralContainers: [{ name: 'debug' }] }),
    'web',
    0,
    'start debug 0',
  ],
  ['which ends once', podWith({ containers: main, ephemeralContainers: [{ name: 'debug' }] }), 'web debug.', 2, ''],
  ['an evicted pod', podWith({ containers: main }, {}, { phase: 'Failed' }), 'web', 0, 'stop web 30'],
];

for (const [what, pod, runs, seconds, wanted] of rows)
  test(`plan: ${what}`, () => {
    const now = { sandbox, runs: runs.split(' ').filter(Boolean).map(runOf) };
    assert.equal(stepsOf(pod, now, seconds), wanted);
  });

test('plan: a sandbox first, also after a reboot', () => {
  assert.equal(stepsOf(podWith({ containers: main }), { sandbox: undefined, runs: [] }, 0), 'open');
  assert.equal(stepsOf(podWith({ containers: main }), { sandbox: undefined, runs: [runOf('web!137')] }, 2), 'open');
  const ended = podWith({ containers: main }, {}, { phase: 'Succeeded' });
  assert.equal(stepsOf(ended, { sandbox: undefined, runs: [runOf('web.')] }, 0), '');
});

test('status: a pod tells how far it is', () => {
  const pod = podWith({ initContainers: init, containers: both }, { generation: 3 }, { qosClass: 'Burstable' });
  const status = (runs: string, seconds = 2): ReturnType<typeof podStatusOf> =>
    podStatusOf({
      pod,
      now: { sandbox, runs: runs.split(' ').filter(Boolean).map(runOf) },
      waiting: new Map([['log', { reason: 'ErrImagePull', message: 'no such image' }]]),
      nowMs: startMs + seconds * 1000,
      hostIPs: ['192.0.2.1'],
    });
  const conditions = (runs: string): string =>
    (status(runs).conditions ?? [])
      .map(({ type, status, message = '' }) => `${type ?? ''} ${status ?? ''} ${message}`.trim())
      .join('; ');
  const first = status('');
  assert.deepEqual(
    [first.phase, first.podIP, first.hostIP, first.observedGeneration, first.qosClass],
    ['Pending', '10.244.0.5', '192.0.2.1', 3, 'Burstable'],
  );
  assert.deepEqual(
    first.containerStatuses?.map(({ state }) => state?.waiting?.reason),
    ['PodInitializing', 'ErrImagePull'],
  );
  assert.equal(
    conditions(''),
    'PodReadyToStartContainers True; Initialized False containers with incomplete status: [init]; Ready False containers with unready status: [web log]; ContainersReady False containers with unready status: [web log]; PodScheduled True',
  );
  assert.equal(
    conditions('init. web log'),
    'PodReadyToStartContainers True; Initialized True; Ready True; ContainersReady True; PodScheduled True',
  );
  const crashed = status('init. web:1!3 web. log').containerStatuses?.[0];
  assert.deepEqual(crashed?.state, {
    waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container=web pod=web_shop(u)' },
  });
  assert.deepEqual([crashed.restartCount, crashed.ready, crashed.lastState?.terminated?.exitCode], [1, false, 3]);
});

test('status: an end is for good, and times stay with what they are of', () => {
  const pod = podWith({ containers: main, restartPolicy: 'Never' });
  const input = { pod, now: { sandbox, runs: [runOf('web.')] }, waiting: new Map(), hostIPs: [] };
  const first = podStatusOf({ ...input, nowMs: startMs });
  assert.equal(first.phase, 'Succeeded');
  assert.equal(first.containerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
  const again = podStatusOf({ ...input, pod: { ...pod, status: first }, nowMs: startMs + 60_000 });
  assert.deepEqual(again, first);
});

test('status: a gate that nobody opened keeps a pod from being ready', () => {
  const pod = podWith({ containers: main, readinessGates: [{ conditionType: 'x/y' }] });
  const { conditions } = podStatusOf({
    pod,
    now: { sandbox, runs: [runOf('web')] },
    waiting: new Map(),
    hostIPs: [],
    nowMs: startMs,
  });
  assert.equal(conditions?.find(({ type }) => type === 'Ready')?.reason, 'ReadinessGatesNotReady');
  assert.equal(conditions?.find(({ type }) => type === 'ContainersReady')?.status, 'True');
});

test('status: a deleted pod tells what it came to', () => {
  const pod = podWith({ containers: both }, deleted, { phase: 'Running' });
  const phase = (runs: string): string | undefined =>
    podStatusOf({
      pod,
      now: { sandbox, runs: runs.split(' ').filter(Boolean).map(runOf) },
      waiting: new Map(),
      nowMs: startMs,
      hostIPs: [],
    }).phase;
  assert.deepEqual(['web log.', 'web. log.', 'web. log!143', ''].map(phase), [
    'Running',
    'Succeeded',
    'Failed',
    'Failed',
  ]);
});
