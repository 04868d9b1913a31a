import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const lease = (more: object = {}): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'a', ...more },
  spec: { holderIdentity: 'me' },
});
const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
const maps = '/api/v1/namespaces/default/configmaps';

describe('a PUT of what is not there', () => {
  test('creates it where the kind says so, whatever revision it names', async (t) => {
    const api = await openMemoryApi(t);
    const made = await api.put(`${leases}/a`, lease({ resourceVersion: '7' }));
    assert.equal(made.status, 201, made.text);
    assert.equal(made.body.metadata.managedFields[0].operation, 'Update');
    assert.equal((await api.put(`${maps}/a`, map)).status, 404);
  });

  test('does not make another object of one that is gone', async (t) => {
    const api = await openMemoryApi(t);
    const { status, body } = await api.put(`${leases}/a`, lease({ uid: 'u' }));
    assert.equal(status, 409);
    assert.equal(
      body.message,
      'Operation cannot be fulfilled on leases.coordination.k8s.io "a": Precondition failed: UID in precondition: u, UID in object meta: ',
    );
  });

  test('needs the permission to create, and so does an apply', async (t) => {
    const api = await openMemoryApi(t, {
      auth: {
        authorizer: {
          authorize: ({ verb }) => ({ verdict: verb === 'create' ? 'no-opinion' : 'allow', reason: 'not you' }),
        },
      },
    });
    const refused = await api.put(`${leases}/a`, lease());
    assert.equal(refused.status, 403);
    assert.equal(
      refused.body.message,
      'leases.coordination.k8s.io "a" is forbidden: User "admin" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default": not you',
    );
    assert.equal((await api.patch(`${maps}/a?fieldManager=me`, 'application/apply-patch+yaml', map)).status, 403);
  });
});

describe('a PUT of what is there', () => {
  test('must say what it replaces, where the kind wants that', async (t) => {
    const api = await openMemoryApi(t);
    const { metadata } = await api.must(api.post(leases, lease()));
    const blind = await api.put(`${leases}/a`, lease());
    assert.deepEqual(
      [blind.status, blind.body.message],
      [
        422,
        'leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
      ],
    );
    await api.must(api.put(`${leases}/a`, lease({ resourceVersion: metadata.resourceVersion as string })));
    await api.must(api.post(maps, map));
    await api.must(api.put(`${maps}/a`, { ...map, data: { x: 'y' } }));
  });
});
