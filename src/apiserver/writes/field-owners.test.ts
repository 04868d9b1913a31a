import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Json } from '#kit/kube-api/json.ts';
import { openMemoryApi, type MemoryApi } from '#kit/kube-api/memory-api.ts';

const apply = 'application/apply-patch+yaml';
const merge = 'application/merge-patch+json';
const deployments = '/apis/apps/v1/namespaces/default/deployments';

const web = (replicas?: number): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});
const scale = (replicas: number): object => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name: 'web' },
  spec: { replicas },
});

/** `manager operation version subresource` of each entry that has a field. */
async function ownersOf(api: MemoryApi, path: string, field: string): Promise<readonly string[]> {
  const { metadata } = await api.must(api.get(path));
  return (metadata.managedFields as Json[])
    .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes(`"f:${field}":`))
    .map(({ manager, operation, apiVersion, subresource = '' }) =>
      [manager, operation, apiVersion, subresource].join(' ').trim(),
    );
}

describe('owners of fields', () => {
  test('by an apply own what it says, and nothing that the type always has', async (t) => {
    const api = await openMemoryApi(t);
    const made = await api.must(api.patch(`${deployments}/web?fieldManager=me`, apply, web()));
    assert.deepEqual(made.metadata.managedFields[0].fieldsV1, {
      'f:spec': {
        'f:selector': {},
        'f:template': {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
        },
      },
    });
    assert.deepEqual(made.spec.template.spec.containers[0].resources, {});
  });

  test('by the scale of an object own its number there', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(api.patch(`${deployments}/web?fieldManager=me`, apply, web(2)));
    const conflict = await api.patch(`${deployments}/web/scale?fieldManager=scaler`, apply, scale(5));
    assert.equal(conflict.status, 409);
    assert.equal(conflict.body.message, 'Apply failed with 1 conflict: conflict with "me": .spec.replicas');
    const scaled = await api.must(
      api.patch(`${deployments}/web/scale?fieldManager=scaler&force=true`, apply, scale(5)),
    );
    assert.deepEqual([scaled.kind, scaled.spec.replicas], ['Scale', 5]);
    assert.deepEqual(await ownersOf(api, `${deployments}/web`, 'replicas'), ['scaler Apply apps/v1 scale']);
    const back = await api.patch(`${deployments}/web?fieldManager=me`, apply, web(2));
    assert.equal(
      back.body.message,
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale": .spec.replicas',
    );
    await api.must(api.patch(`${deployments}/web?fieldManager=me`, apply, web()));
    assert.equal((await api.must(api.get(`${deployments}/web/scale`))).spec.replicas, 5);
    await api.must(api.patch(`${deployments}/web/scale?fieldManager=hand`, merge, { spec: { replicas: 3 } }));
    assert.deepEqual(await ownersOf(api, `${deployments}/web`, 'replicas'), ['hand Update apps/v1 scale']);
    const nobody = await api.patch(`${deployments}/web/scale`, apply, scale(1));
    assert.match(nobody.body.message, /fieldManager: Required value/);
    const strict = await api.patch(`${deployments}/web/scale?fieldManager=x&fieldValidation=Strict`, apply, {
      ...scale(1),
      sepc: {},
    });
    assert.match(strict.body.message, /unknown field "sepc"/);
    assert.equal((await api.patch(`${deployments}/no/scale?fieldManager=x`, apply, scale(1))).status, 404);
  });

  test('by the status of an object own that alone', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(api.patch(`${deployments}/web?fieldManager=me`, apply, web(2)));
    const status = { ...web(7), status: { readyReplicas: 1 } };
    const applied = await api.must(api.patch(`${deployments}/web/status?fieldManager=control`, apply, status));
    assert.deepEqual([applied.spec.replicas, applied.status.readyReplicas], [2, 1]);
    assert.deepEqual(await ownersOf(api, `${deployments}/web`, 'readyReplicas'), ['control Apply apps/v1 status']);
    assert.deepEqual(await ownersOf(api, `${deployments}/web`, 'replicas'), ['me Apply apps/v1']);
    const other = { ...web(), status: { readyReplicas: 2 } };
    const conflict = await api.patch(`${deployments}/web/status?fieldManager=other`, apply, other);
    assert.match(conflict.body.message, /conflict with "control" with subresource "status": \.status\.readyReplicas/);
    const nothing = { ...web(), status: {} };
    const less = await api.must(api.patch(`${deployments}/web/status?fieldManager=control`, apply, nothing));
    assert.equal(less.status.readyReplicas, undefined);
  });
});

describe('owners of fields in another version', () => {
  const v1 = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/a';
  const v2 = v1.replace('/v1/', '/v2/');
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const autoscaler = (version: string, spec: object): object => ({
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'a' },
    spec: { scaleTargetRef: target, maxReplicas: 5, ...spec },
  });
  const cpu = (averageUtilization: number): object => ({
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
  });

  test('meet conflicts there, and lose what is taken', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(
      api.patch(`${v1}?fieldManager=old`, apply, autoscaler('v1', { targetCPUUtilizationPercentage: 50 })),
    );
    const conflict = await api.patch(`${v2}?fieldManager=new`, apply, autoscaler('v2', cpu(60)));
    assert.equal(
      conflict.body.message,
      'Apply failed with 1 conflict: conflict with "old": .spec.targetCPUUtilizationPercentage',
    );
    await api.must(api.patch(`${v2}?fieldManager=new&force=true`, apply, autoscaler('v2', cpu(60))));
    assert.equal((await api.must(api.get(v1))).spec.targetCPUUtilizationPercentage, 60);
    assert.deepEqual(await ownersOf(api, v2, 'targetCPUUtilizationPercentage'), []);
    assert.deepEqual(await ownersOf(api, v2, 'metrics'), ['new Apply autoscaling/v2']);
    await api.must(api.patch(v1, merge, { spec: { targetCPUUtilizationPercentage: 70 } }));
    assert.deepEqual(await ownersOf(api, v2, 'metrics'), []);
  });

  test('give up what the same manager no longer applies, in whichever version', async (t) => {
    const api = await openMemoryApi(t);
    const first = autoscaler('v1', { minReplicas: 2, targetCPUUtilizationPercentage: 50 });
    await api.must(api.patch(`${v1}?fieldManager=me`, apply, first));
    const moved = await api.must(api.patch(`${v2}?fieldManager=me`, apply, autoscaler('v2', cpu(50))));
    assert.deepEqual(
      moved.metadata.managedFields.map((one: Json) => [one.manager, one.apiVersion]),
      [['me', 'autoscaling/v2']],
    );
    assert.equal(moved.spec.minReplicas, 1, 'the default is back');
    assert.equal(moved.spec.metrics[0].resource.target.averageUtilization, 50);
  });

  test('events are one list under two names', async (t) => {
    const api = await openMemoryApi(t);
    const core = '/api/v1/namespaces/default/events/e';
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      message: 'hello',
      reason: 'Started',
      type: 'Normal',
    };
    await api.must(api.patch(`${core}?fieldManager=old`, apply, event));
    const newer = core.replace('/api/v1/', '/apis/events.k8s.io/v1/');
    const note = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e' },
      note: 'bye',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/c',
      reportingInstance: 'c-1',
      action: 'Starting',
    };
    const conflict = await api.patch(`${newer}?fieldManager=new`, apply, note);
    assert.match(conflict.body.message, /conflict with "old": \.message$/);
    await api.must(api.patch(`${newer}?fieldManager=new&force=true`, apply, note));
    assert.deepEqual(await ownersOf(api, core, 'message'), []);
    assert.equal((await api.must(api.get(core))).message, 'bye');
  });
});
