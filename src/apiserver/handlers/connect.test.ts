import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

const pods = '/api/v1/namespaces/default/pods';
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a' },
  spec: { containers: [{ name: 'a', image: 'a' }] },
};

test('a pod without a node has printed nothing, and cannot be entered', async (t) => {
  const api = await openMemoryApi(t);
  await api.must(api.post(pods, pod));
  const log = await api.get(`${pods}/a/log`);
  assert.deepEqual([log.status, log.text], [200, '']);
  assert.equal((await api.get(`${pods}/a/log?container=none`)).status, 400);
  for (const way of ['exec', 'attach', 'portforward']) {
    const { status, body } = await api.post(`${pods}/a/${way}?command=date`, {});
    assert.deepEqual([status, body.message], [400, 'pod a does not have a host assigned'], way);
  }
});

test('without an agent, what only a node can do is refused', async (t) => {
  const api = await openMemoryApi(t);
  await api.must(api.post(pods, { ...pod, spec: { ...pod.spec, nodeName: 'n' } }));
  for (const answer of [await api.get(`${pods}/a/log`), await api.post(`${pods}/a/exec?command=date`, {})]) {
    assert.equal(answer.status, 503);
    assert.match(answer.body.message, /no node agent is connected/);
  }
});
