import assert from 'node:assert/strict';
import { test } from 'node:test';

import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Pod, ResourceQuota } from '#kube/types/gen/core-v1.ts';

import { RbacIndex } from '../auth/rbac/rbac-index.ts';
import { admissionChain } from './admission.ts';
import { builtInAdmission } from './built-in-admission.ts';

test('all together: an ordinary pod gets what a real server gives it, and is counted', async () => {
  const { signal } = new AbortController();
  const metadata = { name: 'default' };
  const quota: ResourceQuota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'default' },
    spec: { hard: { pods: '1' } },
  };
  const objects = new MemoryObjects([
    { apiVersion: 'v1', kind: 'Namespace', metadata },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata, namespace: 'default' } },
    quota,
  ]);
  const seen: string[] = [];
  const plugins = builtInAdmission({
    objects,
    authorizer: { authorize: () => ({ verdict: 'allow', reason: '' }) },
    rbac: new RbacIndex(),
    nowMs: () => 0,
    extensions: [{ name: 'webhooks', mutate: ({ object }) => void seen.push(JSON.stringify(object)) }],
  });
  assert.deepEqual(plugins.map(({ name }) => name).slice(-3), ['RoleEscalation', 'webhooks', 'ResourceQuota']);
  assert.equal(new Set(plugins.map(({ name }) => name)).size, plugins.length);
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'a' }] },
  };
  const request = admissionRequest({ object: pod });
  const chain = admissionChain(plugins);
  await chain.mutate(request, signal);
  await chain.validate(request, signal);
  const { spec = {} } = pod;
  assert.deepEqual(
    [spec.serviceAccountName, spec.priority, spec.preemptionPolicy, spec.tolerations?.length, spec.volumes?.length],
    ['default', 0, 'PreemptLowerPriority', 2, 1],
  );
  assert.match(seen[0] ?? '', /kube-api-access-/);
  const other = admissionRequest({ object: { ...pod, metadata: { name: 'other', namespace: 'default' } } });
  await chain.mutate(other, signal);
  await assert.rejects(
    chain.validate(other, signal),
    /exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/,
  );
});
