import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

const pods = '/api/v1/namespaces/default/pods';
const container = (name: string, more: object = {}): object => ({ name, image: 'busybox:1', ...more });
const pod = (name: string, containers: readonly object[]): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers },
});

test('ephemeral containers are added, checked, and stay', async (t) => {
  const api = await openMemoryApi(t);
  const made = await api.must(api.post(pods, pod('a', [container('main')])));
  const path = `${pods}/a/ephemeralcontainers`;
  const withEphemeral = (...ephemeralContainers: readonly object[]): object => ({
    ...made,
    metadata: { name: 'a' },
    spec: { ...made.spec, ephemeralContainers },
  });
  const wrong = await api.put(path, withEphemeral({ name: 'main', image: 'busybox:1' }));
  assert.equal(wrong.status, 422);
  assert.match(wrong.body.message, /spec\.ephemeralContainers\[0\]\.name: Duplicate value: "main"/);
  const added = await api.must(api.put(path, withEphemeral(container('debug'))));
  assert.equal(added.spec.ephemeralContainers[0].name, 'debug');
  const removed = await api.put(path, withEphemeral());
  assert.equal(removed.status, 422);
  assert.match(removed.body.message, /existing ephemeral containers "debug" may not be removed/);
  const other = await api.must(api.put(path, { ...withEphemeral(container('debug'), container('more')) }));
  assert.equal(other.spec.ephemeralContainers.length, 2);
});

test('resources are changed within the class of the pod', async (t) => {
  const api = await openMemoryApi(t);
  const limits = { cpu: '100m', memory: '64Mi' };
  const made = await api.must(
    api.post(pods, pod('a', [container('main', { resources: { limits, requests: limits } })])),
  );
  const path = `${pods}/a/resize`;
  const resized = (resources: object): object => ({
    ...made,
    metadata: { name: 'a' },
    spec: { ...made.spec, containers: [{ ...made.spec.containers[0], resources }] },
  });
  const more = { cpu: '200m', memory: '64Mi' };
  const changed = await api.must(api.put(path, resized({ limits: more, requests: more })));
  assert.deepEqual(changed.spec.containers[0].resources.limits, more);
  const burstable = await api.put(path, resized({ limits: more, requests: { cpu: '10m', memory: '64Mi' } }));
  assert.equal(burstable.status, 422);
  assert.match(burstable.body.message, /Pod QOS Class may not change as a result of resizing/);
});
