import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const labels = { app: 'web' };
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
  },
};

test('a scale is shown as a table, too', async (t) => {
  const api = await openMemoryApi(t);
  await api.must(api.post(deployments, web));
  await api.must(api.patch(`${deployments}/web/status`, 'application/merge-patch+json', { status: { replicas: 1 } }));
  const { body } = await api.get(`${deployments}/web/scale`, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  assert.deepEqual(
    body.columnDefinitions.map(({ name }: { name: string }) => name),
    ['Name', 'Desired', 'Available', 'Age'],
  );
  assert.deepEqual(body.rows[0].cells.slice(0, 3), ['web', 3, 1]);
});
