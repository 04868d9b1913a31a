import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { deployment, ownersOf, specOf, withSpec } from '#kit/sample-objects.ts';
import { sampleDeployment } from '#kit/sample-schemas.ts';

import type { Resource } from '../resource.ts';
import { applyPatch, type ApplyWrite } from './apply-patch.ts';
import { emptySet } from './field-set.ts';
import { updateManagedFields } from './update-managed-fields.ts';

const write: ApplyWrite = {
  manager: 'alice',
  force: false,
  subresource: '',
  version: 'apps/v1',
  nowMs: Date.parse('2026-01-02T12:00:00Z'),
  schema: sampleDeployment,
  resetFields: emptySet,
};

describe('from client-side to server-side apply', () => {
  const kubectl: ApplyWrite = { ...write, manager: 'kubectl' };
  const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
  const config = deployment({ replicas: 2, paused: true });
  const created = (): Resource => {
    const annotations = { [lastApplied]: JSON.stringify(config) };
    const object = { ...config, metadata: { ...config.metadata, annotations } };
    return updateManagedFields(undefined, object, { ...write, manager: 'kubectl-client-side-apply' });
  };

  test('kubectl takes over what it applied before', () => {
    const next = deployment({ replicas: 5, paused: true });
    const result = applyPatch(created(), next, kubectl);
    assert.equal(specOf(result)['replicas'], 5);
    assert.deepEqual(ownersOf(result, 'f:spec', 'f:replicas'), ['kubectl']);
    assert.equal(result.metadata.annotations?.[lastApplied], `${JSON.stringify(sorted(next))}\n`);
  });

  test('others do not', () => {
    assert.throws(() => applyPatch(created(), deployment({ replicas: 5 }), write), {
      message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
    });
  });

  test('but not what changed since', () => {
    const live = created();
    const scaled = updateManagedFields(live, withSpec(live, { replicas: 9, paused: true }), {
      ...write,
      manager: 'scaler',
    });
    assert.throws(() => applyPatch(scaled, deployment({ replicas: 5, paused: false }), kubectl), {
      message: 'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas',
    });
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
