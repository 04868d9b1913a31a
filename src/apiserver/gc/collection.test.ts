import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { eventually } from '#kit/eventually.ts';
import { openMemoryApi, type MemoryApi } from '#kit/kube-api/memory-api.ts';
import type { Json } from '#kit/kube-api/json.ts';

const maps = '/api/v1/namespaces/default/configmaps';

async function create(api: MemoryApi, name: string, metadata: object = {}): Promise<Json> {
  return api.must(api.post(maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } }));
}

function owned(by: Json, blockOwnerDeletion = false): object {
  const { name, uid } = by.metadata as { name: string; uid: string };
  return { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, blockOwnerDeletion }] };
}

async function goes(api: MemoryApi, path: string): Promise<void> {
  await eventually(`${path} is gone`, async () => (await api.get(path)).status === 404);
}

describe('owners', () => {
  test('take their dependents with them, to any depth', async (t) => {
    const api = await openMemoryApi(t);
    const a = await create(api, 'a');
    const b = await create(api, 'b', owned(a));
    await create(api, 'c', owned(b));
    await create(api, 'other');
    await api.must(api.delete(`${maps}/a`));
    await goes(api, `${maps}/b`);
    await goes(api, `${maps}/c`);
    assert.equal((await api.get(`${maps}/other`)).status, 200);
  });

  test('in the foreground wait for those that block them', async (t) => {
    const api = await openMemoryApi(t);
    const a = await create(api, 'a');
    await create(api, 'b', { ...owned(a, true), finalizers: ['example.com/hold'] });
    const waiting = await api.must(api.delete(`${maps}/a`, { propagationPolicy: 'Foreground' }));
    assert.deepEqual(waiting.metadata.finalizers, ['foregroundDeletion']);
    await eventually('b is being deleted', async () => (await api.get(`${maps}/b`)).body.metadata.deletionTimestamp);
    assert.equal((await api.get(`${maps}/a`)).status, 200);
    await api.must(api.patch(`${maps}/b`, 'application/merge-patch+json', { metadata: { finalizers: null } }));
    await goes(api, `${maps}/a`);
  });

  test('leave orphans behind when they are told to', async (t) => {
    const api = await openMemoryApi(t);
    const a = await create(api, 'a');
    await create(api, 'b', owned(a));
    await api.must(api.delete(`${maps}/a`, { propagationPolicy: 'Orphan' }));
    await goes(api, `${maps}/a`);
    const left = await api.must(api.get(`${maps}/b`));
    assert.equal(left.metadata.ownerReferences, undefined);
  });

  test('that never were take what names them as well', async (t) => {
    const api = await openMemoryApi(t);
    await create(api, 'b', owned({ metadata: { name: 'none', uid: 'none' } }));
    await goes(api, `${maps}/b`);
  });
});

describe('namespaces', () => {
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team' },
    spec: { finalizers: ['kubernetes'] },
  };

  test('are emptied before they go', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(api.post('/api/v1/namespaces', namespace));
    const inside = '/api/v1/namespaces/team/configmaps';
    await api.must(api.post(inside, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }));
    const going = await api.must(api.delete('/api/v1/namespaces/team'));
    assert.equal(going.status.phase, 'Terminating');
    await goes(api, '/api/v1/namespaces/team');
    assert.equal((await api.get(`${inside}/a`)).status, 404);
  });

  test('say what holds them', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(api.post('/api/v1/namespaces', namespace));
    const inside = '/api/v1/namespaces/team/configmaps';
    const metadata = { name: 'a', finalizers: ['example.com/hold'] };
    await api.must(api.post(inside, { apiVersion: 'v1', kind: 'ConfigMap', metadata }));
    await api.must(api.delete('/api/v1/namespaces/team'));
    await eventually('the namespace says why', async () => {
      const { status } = (await api.get('/api/v1/namespaces/team')).body;
      return JSON.stringify(status).includes('example.com/hold in 1 resource instances');
    });
    await api.must(api.patch(`${inside}/a`, 'application/merge-patch+json', { metadata: { finalizers: null } }));
    await goes(api, '/api/v1/namespaces/team');
  });
});
