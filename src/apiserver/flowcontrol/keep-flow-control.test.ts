import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nowMs } from '#base/clock.ts';
import { eventually } from '#kit/eventually.ts';
import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

import { FlowControl } from './flow-control.ts';
import { keepFlowControl } from './keep-flow-control.ts';

const root = '/apis/flowcontrol.apiserver.k8s.io/v1';

test('the objects of flow control are made, kept, and count from the moment they change', async (t) => {
  const api = await openMemoryApi(t);
  const control = new FlowControl();
  const stop = new AbortController();
  t.after(() => stop.abort());
  const faults: unknown[] = [];
  const { objects } = api.api;
  await keepFlowControl({ objects, control, nowMs, onError: (error) => faults.push(error) }, stop.signal);
  const user = { name: 'jane', uid: '', groups: ['system:authenticated'], extra: {} };
  const levelOfJane = (): string => control.flowOf({ type: 'path', verb: 'get', path: '/version', user }).level.name;
  assert.equal(levelOfJane(), 'global-default');
  assert.equal((await api.get(`${root}/flowschemas`)).body.items.length, 13);
  assert.equal((await api.get(`${root}/prioritylevelconfigurations`)).body.items.length, 8);

  await api.must(
    api.post(`${root}/flowschemas`, {
      metadata: { name: 'jane' },
      spec: {
        matchingPrecedence: 50,
        priorityLevelConfiguration: { name: 'workload-high' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'jane' } }],
            nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['/ver*'] }],
          },
        ],
      },
    }),
  );
  await eventually('the new schema counts', () => levelOfJane() === 'workload-high');
  const dangling = async (): Promise<string | undefined> => {
    const { body } = await api.get(`${root}/flowschemas/jane`);
    const one = body.status?.conditions?.find(({ type }: { type: string }) => type === 'Dangling');
    return one === undefined ? undefined : `${one.status} ${one.reason}: ${one.message}`;
  };
  const named = 'This FlowSchema references the PriorityLevelConfiguration object named';
  await eventually(
    'its level is there',
    async () => (await dangling()) === `False Found: ${named} "workload-high" and it exists`,
  );
  await api.must(
    api.patch(`${root}/flowschemas/jane`, 'application/merge-patch+json', {
      spec: { priorityLevelConfiguration: { name: 'lost' } },
    }),
  );
  await eventually(
    'its level is not there',
    async () => (await dangling()) === `True NotFound: ${named} "lost" but there is no such object`,
  );
  await api.must(api.delete(`${root}/flowschemas/jane`));
  await eventually('it counts no more', () => levelOfJane() === 'global-default');

  await api.must(api.delete(`${root}/flowschemas/catch-all`));
  await eventually(
    'what is mandatory is back',
    async () => (await api.get(`${root}/flowschemas/catch-all`)).status === 200,
  );
  const path = `${root}/prioritylevelconfigurations/system`;
  const patch = (body: object) => api.must(api.patch(path, 'application/merge-patch+json', body));
  await patch({ spec: { limited: { nominalConcurrencyShares: 1 } } });
  const shares = async (): Promise<number> => (await api.get(path)).body.spec.limited.nominalConcurrencyShares;
  await eventually('what asks for it is brought back', async () => (await shares()) === 30);
  await patch({
    metadata: { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'false' } },
    spec: { limited: { nominalConcurrencyShares: 2 } },
  });
  assert.equal(await shares(), 2);
  assert.deepEqual(faults, []);
});

test('answers tell where they waited', async (t) => {
  const api = await openMemoryApi(t);
  const { headers } = await api.get('/api/v1/namespaces/default/pods');
  assert.ok('x-kubernetes-pf-flowschema-uid' in headers && 'x-kubernetes-pf-prioritylevel-uid' in headers);
  const { text } = await api.get('/metrics');
  assert.match(text, /^apiserver_flowcontrol_nominal_limit_seats\{priority_level="workload-low"\} 123$/m);
  assert.match(
    text,
    /^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="exempt",priority_level="exempt"\} 2$/m,
  );
});
