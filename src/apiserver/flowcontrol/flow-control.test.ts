import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { PriorityLevelConfiguration } from '#kube/types/gen/flowcontrol-v1.ts';

import type { Attributes } from '../auth/authorizer.ts';
import { dealHand } from './deal-hand.ts';
import { defaultLevels, defaultSchemas } from './default-flow-control.ts';
import { FlowControl } from './flow-control.ts';

const { signal: never } = new AbortController();
const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

function request(name: string, groups: readonly string[], more: Partial<Attributes> = {}): Attributes {
  const user = { name, uid: '', groups: [...groups, 'system:authenticated'], extra: {} };
  const about = {
    verb: 'update',
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: 'a',
    name: 'x',
  };
  return { type: 'resource', ...about, ...more, user } as Attributes;
}

const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease' } as const;
const greedy = request('greedy', []);

/** A client that always has so many requests under way, each answered in a turn of its own; `served` counts them. */
function loop(
  control: FlowControl,
  attributes: Attributes,
  underWay: number,
): { served: number; stop(): Promise<void> } {
  const state = { served: 0, refused: 0, isOver: false };
  const one = async (): Promise<void> => {
    while (!state.isOver) {
      try {
        using _ = await control.enter(control.flowOf(attributes), never);
        await turn();
        state.served += 1;
      } catch {
        state.refused += 1;
        await turn();
      }
    }
  };
  const all = Array.from({ length: underWay }, one);
  return Object.assign(state, {
    stop: async () => {
      state.isOver = true;
      await Promise.all(all);
    },
  });
}

describe('requests belong to levels', () => {
  const control = new FlowControl();
  for (const [level, key, attributes] of [
    ['exempt', 'exempt/', request('admin', ['system:masters'])],
    ['exempt', 'probes/', { type: 'path', verb: 'get', path: '/livez', user: greedy.user }],
    ['node-high', 'system-node-high/system:node:n1', request('system:node:n1', ['system:nodes'], lease)],
    ['system', 'system-nodes/system:node:n1', request('system:node:n1', ['system:nodes'])],
    ['workload-high', 'kube-scheduler/a', request('system:kube-scheduler', [])],
    [
      'leader-election',
      'system-leader-election/system:kube-scheduler',
      request('system:kube-scheduler', [], { ...lease, verb: 'get' }),
    ],
    [
      'workload-high',
      'kube-system-service-accounts/a',
      request('system:serviceaccount:kube-system:x', ['system:serviceaccounts']),
    ],
    [
      'workload-low',
      'service-accounts/system:serviceaccount:b:x',
      request('system:serviceaccount:b:x', ['system:serviceaccounts']),
    ],
    ['global-default', 'global-default/greedy', greedy],
  ] as const)
    test(key, () => {
      const flow = control.flowOf(attributes);
      assert.deepEqual([flow.level.name, flow.key], [level, key]);
    });
});

describe('seats', () => {
  test('a client in a loop with 200 requests delays no lease of a node, and another client by a few requests', async () => {
    const control = new FlowControl();
    const client = loop(control, greedy, 200);
    for (let round = 0; round < 20; round += 1) await turn();
    assert.ok(client.served > 0);
    for (const [attributes, servedMost] of [
      [request('system:node:n1', ['system:nodes'], lease), 0],
      [request('other', []), 100],
    ] as const) {
      const before = client.served;
      using _ = await control.enter(control.flowOf(attributes), never);
      assert.ok(client.served - before <= servedMost, `${String(client.served - before)} were served before`);
    }
    await client.stop();
    assert.equal(control.running, 0);
  });

  test('are lent while they are idle, and queues are bounded', async () => {
    const control = new FlowControl();
    const { level } = control.flowOf(greedy);
    const stop = new AbortController();
    const many = Array.from({ length: 2000 }, () => control.enter(control.flowOf(greedy), stop.signal));
    const refused = many.map((one) =>
      one.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    await turn();
    assert.ok(level.running > level.nominalSeats);
    assert.equal(level.waiting, 6 * 50);
    stop.abort();
    const errors = (await Promise.all(refused)).filter((one) => one !== undefined);
    assert.equal(errors.length, 2000 - level.running);
    await assert.rejects(Promise.reject(errors[0]), { statusReason: 'TooManyRequests' });
    assert.equal(level.waiting, 0);
    const text = control.metrics().join('\n');
    assert.match(
      text,
      /rejected_requests_total\{flow_schema="global-default",priority_level="global-default",reason="queue-full"\} \d+/,
    );
    assert.match(text, /reason="cancelled"\} 300/);
  });

  test('are shared as the objects say from the moment they change', async () => {
    const control = new FlowControl();
    const small: PriorityLevelConfiguration = {
      apiVersion: '',
      kind: '',
      metadata: { name: 'global-default', uid: 'u' },
      spec: {
        type: 'Limited',
        limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
      },
    };
    const waiting = Array.from({ length: 400 }, () => control.enter(control.flowOf(greedy), never));
    control.configure(defaultSchemas, [
      ...defaultLevels.filter(({ metadata }) => metadata.name !== 'global-default'),
      small,
    ]);
    for (const place of await Promise.all(waiting)) place[Symbol.dispose]();
    assert.equal(control.flowOf(greedy).level.uid, 'u');
    await assert.rejects(control.enter(control.flowOf(greedy), never), { statusReason: 'TooManyRequests' });
    control.configure([], []);
    assert.equal(control.flowOf(greedy).level.name, 'catch-all');
  });

  test('hands are different queues, the same for a flow each time', () => {
    for (const flow of ['a', 'b', 'c/d']) {
      const hand = dealHand(flow, 128, 6);
      assert.deepEqual(hand, dealHand(flow, 128, 6));
      assert.equal(new Set(hand).size, 6);
      assert.ok(hand.every((card) => card >= 0 && card < 128));
    }
    assert.deepEqual(new Set(dealHand('a', 2, 6)), new Set([0, 1]));
  });
});
