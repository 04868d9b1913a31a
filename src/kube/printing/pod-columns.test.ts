import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Pod, PodSpec, PodStatus } from '../types/gen/core-v1.ts';
import { podColumns, summaryOf } from './pod-columns.ts';

const nowMs = Date.parse('2026-01-01T00:10:00Z');

function podOf(status: PodStatus, spec: PodSpec = {}, deleted = false): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(deleted ? { deletionTimestamp: '2026-01-01T00:05:00Z' } : {}),
    },
    spec: { containers: [{ name: 'a' }], ...spec },
    status,
  };
}

const running = { name: 'a', ready: true, state: { running: {} } };
const finishedAt = '2026-01-01T00:08:30Z';
const initialized = [{ type: 'Initialized', status: 'True' }];
const sidecar: PodSpec = { initContainers: [{ name: 's', restartPolicy: 'Always' }, { name: 'i' }] };

/** What a pod is like, and its columns Ready, Status, Restarts. */
const rows: Readonly<Record<string, readonly [Pod, string]>> = {
  'nothing known': [podOf({}), '0/1  0'],
  pending: [podOf({ phase: 'Pending' }), '0/1 Pending 0'],
  gated: [
    podOf({ phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] }),
    '0/1 SchedulingGated 0',
  ],
  evicted: [podOf({ phase: 'Failed', reason: 'Evicted' }), '0/1 Evicted 0'],
  running: [podOf({ phase: 'Running', containerStatuses: [running] }), '1/1 Running 0'],
  waiting: [
    podOf({
      phase: 'Running',
      containerStatuses: [
        {
          name: 'a',
          restartCount: 4,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { finishedAt } },
        },
      ],
    }),
    '0/1 CrashLoopBackOff 4 (90s ago)',
  ],
  'ended with a code': [
    podOf({ phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] }),
    '0/1 ExitCode:3 0',
  ],
  'ended by a signal': [
    podOf({ phase: 'Failed', containerStatuses: [{ state: { terminated: { signal: 9 } } }] }),
    '0/1 Signal:9 0',
  ],
  'one completed, one running': [
    podOf({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ state: { terminated: { reason: 'Completed' } } }, running],
    }),
    '1/1 Running 0',
  ],
  'one completed, the pod not ready': [
    podOf({ phase: 'Running', containerStatuses: [{ state: { terminated: { reason: 'Completed' } } }, running] }),
    '1/1 NotReady 0',
  ],
  initializing: [
    podOf(
      { phase: 'Pending', initContainerStatuses: [{ name: 'i', state: { running: {} } }] },
      { initContainers: [{ name: 'i' }] },
    ),
    '0/1 Init:0/1 0',
  ],
  'initialization waits': [
    podOf({ initContainerStatuses: [{ name: 'i', state: { waiting: { reason: 'ImagePullBackOff' } } }] }),
    '0/1 Init:ImagePullBackOff 0',
  ],
  'initialization is about to begin': [
    podOf(
      { initContainerStatuses: [{ name: 'i', state: { waiting: { reason: 'PodInitializing' } } }] },
      { initContainers: [{}, {}] },
    ),
    '0/1 Init:0/2 0',
  ],
  'initialization failed': [
    podOf({ initContainerStatuses: [{ name: 'i', restartCount: 2, state: { terminated: { exitCode: 1 } } }] }),
    '0/1 Init:ExitCode:1 2',
  ],
  'a sidecar counts': [
    podOf(
      {
        phase: 'Running',
        conditions: initialized,
        initContainerStatuses: [
          { name: 's', started: true, ready: true, restartCount: 1, lastState: { terminated: { finishedAt } } },
          { name: 'i', restartCount: 5, state: { terminated: { exitCode: 0 } } },
        ],
        containerStatuses: [running],
      },
      sidecar,
    ),
    '2/2 Running 1 (90s ago)',
  ],
  terminating: [podOf({ phase: 'Running', containerStatuses: [running] }, {}, true), '1/1 Terminating 0'],
  'deleted when done': [podOf({ phase: 'Succeeded' }, {}, true), '0/1 Succeeded 0'],
  'on a lost node': [podOf({ phase: 'Running', reason: 'NodeLost' }, {}, true), '0/1 Unknown 0'],
};

describe('the state of a pod', () => {
  for (const [name, [pod, expected]] of Object.entries(rows)) {
    test(name, () => {
      const [, ready, status, restarts] = podColumns.map((column) => column.cell(pod, nowMs));
      assert.equal([ready, status, restarts].join(' '), expected);
    });
  }

  test('wide columns', () => {
    const pod = podOf(
      { podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'g/a', status: 'True' }], nominatedNodeName: 'n2' },
      { nodeName: 'n1', readinessGates: [{ conditionType: 'g/a' }, { conditionType: 'g/b' }] },
    );
    assert.deepEqual(
      podColumns.slice(4).map((column) => column.cell(pod, nowMs)),
      ['10m', '10.0.0.1', 'n1', 'n2', '1/2'],
    );
    assert.deepEqual(
      podColumns.slice(5).map((column) => column.cell(podOf({}), nowMs)),
      ['<none>', '<none>', '<none>', '<none>'],
    );
  });

  test('the latest restart is told', () => {
    const ended = (at: string) => ({ restartCount: 1, lastState: { terminated: { finishedAt: at } } });
    const pod = podOf({ containerStatuses: [ended('2026-01-01T00:01:00Z'), ended(finishedAt)] });
    assert.deepEqual(summaryOf(pod), { ready: '0/1', status: '', restarts: 2, lastRestart: finishedAt });
  });
});
