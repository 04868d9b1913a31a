import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kindOf } from '#kube/client/client.ts';
import { node as nodeKind } from '#kube/kinds/core/node.ts';
import { pod as podKind } from '#kube/kinds/core/pod.ts';
import type { Node, Pod } from '#kube/types/gen/core-v1.ts';
import { eventually } from '#kit/eventually.ts';
import { localClient } from '#kit/kube-api/local-client.ts';
import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

import { SharedInformers } from '../shared-informers.ts';
import { runScheduler } from './run-scheduler.ts';

const nodes = kindOf<Node>(nodeKind);
const pods = kindOf<Pod>(podKind);

test('pods are bound as room comes, the important ones first, and tell why they wait', async (t) => {
  const api = await openMemoryApi(t);
  const client = localClient(api);
  const stop = new AbortController();
  const { signal } = stop;
  const informers = new SharedInformers(client);
  const running = runScheduler({ client, informers }, signal);
  t.after(async () => {
    stop.abort();
    await running;
    await informers[Symbol.asyncDispose]();
  });
  const pod = async (name: string, cpu: string, more: object = {}): Promise<Pod> => {
    const containers = [{ name: 'main', image: 'app', resources: { requests: { cpu } } }];
    const metadata = { namespace: 'default', name };
    return client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...more } }, {}, signal);
  };
  const get = async (name: string): Promise<Pod> => client.get(pods, { namespace: 'default', name }, signal);
  const nodeOf = async (name: string): Promise<string | undefined> => (await get(name)).spec?.nodeName;
  const condition = async (name: string): Promise<string> => {
    const one = (await get(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled');
    return `${one?.status ?? ''} ${one?.reason ?? ''} ${one?.message ?? ''}`;
  };
  await pod('early', '1');
  await eventually(
    'it waits',
    async () => (await condition('early')) === 'False Unschedulable no nodes available to schedule pods',
  );
  const status = { allocatable: { cpu: '2', memory: '4Gi', pods: '10' } };
  await client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'one' } }, {}, signal);
  await client.patch(
    nodes,
    { namespace: '', name: 'one' },
    { type: 'merge', body: { status } },
    { subresource: 'status' },
    signal,
  );
  await eventually('it gets the node that came', async () => (await nodeOf('early')) === 'one');
  assert.match(await condition('early'), /^True /);

  await pod('gated', '100m', { schedulingGates: [{ name: 'later' }] });
  await eventually('it is gated', async () => (await condition('gated')).startsWith('False SchedulingGated'));
  await pod('large', '2');
  await eventually('it finds no room', async () =>
    (await condition('large')).startsWith('False Unschedulable 0/1 nodes are available: 1 Insufficient cpu.'),
  );
  await client.delete(pods, { namespace: 'default', name: 'early' }, { gracePeriodSeconds: 0 }, signal);
  await eventually('room has come', async () => (await nodeOf('large')) === 'one');
  const gates = { type: 'merge', body: { spec: { schedulingGates: [] } } } as const;
  await client.delete(pods, { namespace: 'default', name: 'large' }, { gracePeriodSeconds: 0 }, signal);
  await client.patch(pods, { namespace: 'default', name: 'gated' }, gates, {}, signal);
  await eventually('the gate is open', async () => (await nodeOf('gated')) === 'one');
  const { body } = await api.get('/api/v1/namespaces/default/events');
  const told = body.items.map(({ reason, message }: { reason: string; message: string }) => `${reason}: ${message}`);
  assert.ok(told.includes('Scheduled: Successfully assigned default/large to one'));
  assert.ok(told.some((text: string) => text.startsWith('FailedScheduling: 0/1 nodes')));
  assert.deepEqual(api.defects, []);
});
