import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Deployment, ReplicaSet } from '#kube/types/gen/apps-v1.ts';

import { planRecreate, planRollout, planScaling, replicaLimits } from './deployment-rollout.ts';

/** Replicas and those that are available. */
type Pair = readonly [replicas: number, available: number];

describe('a rollout', () => {
  const limits: readonly [string, number, number | string, number | string, number, number][] = [
    ['shares round up for surge and down for what may be missing', 10, '25%', '25%', 3, 2],
    ['both nothing after rounding: one may be missing', 1, 0, '25%', 0, 1],
    ['no more are missing than there are', 2, 0, 5, 0, 2],
    ['no replicas', 0, '25%', '25%', 0, 0],
  ];
  for (const [name, replicas, surge, unavailable, maxSurge, maxUnavailable] of limits)
    test(`limits: ${name}`, () => {
      assert.deepEqual(replicaLimits(deployment(replicas, surge, unavailable)), { replicas, maxSurge, maxUnavailable });
    });

  const steps: readonly [string, Deployment, Pair, readonly Pair[], readonly string[]][] = [
    ['the new set gets what surge allows', deployment(10, 3, 2), [0, 0], [[10, 10]], ['new=3']],
    ['then old ones go as far as may be missing', deployment(10, 3, 2), [3, 0], [[10, 10]], ['old0=8']],
    ['the new set takes the room', deployment(10, 3, 2), [3, 0], [[8, 8]], ['new=5']],
    ['new pods that do not come hold everything', deployment(10, 3, 2), [5, 0], [[8, 8]], []],
    [
      'what is not well goes first, from the oldest',
      deployment(10, 3, 2),
      [5, 5],
      [
        [4, 1],
        [4, 4],
      ],
      ['old0=0', 'old1=3'],
    ],
    ['a set of broken pods goes at once', deployment(3, 1, 0), [3, 3], [[1, 0]], ['old0=0']],
    ['the end: the old set is empty', deployment(10, 3, 2), [10, 10], [[3, 3]], ['old0=0']],
    ['a new set that is too large shrinks', deployment(3, 1, 0), [5, 5], [], ['new=3']],
    ['nothing to do', deployment(3, 1, 0), [3, 3], [[0, 0]], []],
    ['without surge an old pod goes before a new one comes', deployment(1, 0, 1), [0, 0], [[1, 1]], ['old0=0']],
  ];
  for (const [name, one, current, old, expected] of steps)
    test(`step: ${name}`, () => {
      const plan = planRollout(
        one,
        set('new', current),
        old.map((pair, at) => set(`old${String(at)}`, pair)),
      );
      assert.deepEqual(textOf(plan), expected);
    });

  test('recreation empties all old sets first', () => {
    assert.deepEqual(textOf(planRecreate([set('a', [2, 2]), set('b', [0, 0])])), ['a=0']);
  });
});

describe('scaling', () => {
  const cases: readonly [string, Deployment, Pair | undefined, readonly Pair[], number, readonly string[]][] = [
    ['one active set gets all', deployment(5, 1, 0), [3, 3], [[0, 0]], 3, ['new=5']],
    ['without an active set the new one does', deployment(5, 1, 0), [0, 0], [[0, 0]], 0, ['new=5']],
    [
      'without a new one the youngest does',
      deployment(5, 1, 0),
      undefined,
      [
        [0, 0],
        [0, 0],
      ],
      0,
      ['old1=5'],
    ],
    ['sets grow in proportion', deployment(20, 0, 1), [5, 5], [[5, 5]], 10, ['new=10', 'old0=10']],
    ['the larger one takes what is left', deployment(10, 0, 1), [3, 3], [[4, 4]], 7, ['old0=6', 'new=4']],
    ['sets shrink in proportion', deployment(5, 0, 1), [2, 2], [[8, 8]], 10, ['old0=4', 'new=1']],
    ['to nothing', deployment(0, 0, 1), [2, 2], [[8, 8]], 10, ['old0=0', 'new=0']],
  ];
  for (const [name, one, current, old, most, expected] of cases)
    test(name, () => {
      const sets = old.map((pair, at) => set(`old${String(at)}`, pair, most));
      assert.deepEqual(textOf(planScaling(one, current && set('new', current, most), sets)), expected);
    });
});

function deployment(replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas, strategy } };
}

function set(name: string, [replicas, availableReplicas]: Pair, most = 0): ReplicaSet {
  const annotations: Record<string, string> =
    most === 0 ? {} : { 'deployment.kubernetes.io/max-replicas': String(most) };
  const creationTimestamp = name === 'new' ? '2026-01-02T00:00:00Z' : '2026-01-01T00:00:00Z';
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, annotations, creationTimestamp },
    spec: { replicas },
    status: { replicas, availableReplicas },
  };
}

function textOf(plan: readonly { readonly set: ReplicaSet; readonly replicas: number }[]): string[] {
  return plan.map(({ set: { metadata }, replicas }) => `${metadata.name ?? ''}=${String(replicas)}`);
}
