import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { sampleDeployment } from '#kit/sample-schemas.ts';

import type { Resource } from '../resource.ts';
import { applyPatch } from './apply-patch.ts';
import { emptySet } from './field-set.ts';
import { updateManagedFields, type Write } from './update-managed-fields.ts';

const noon = Date.parse('2026-01-02T12:00:00Z');
const write: Write = {
  manager: 'kubectl-create',
  subresource: '',
  version: 'apps/v1',
  nowMs: noon,
  schema: sampleDeployment,
  resetFields: emptySet,
};
const base: Resource = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', uid: 'u1', resourceVersion: '7', labels: { app: 'web' } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'web', image: 'nginx', ports: [{ containerPort: 80, protocol: 'TCP' }], resources: {} }],
      },
    },
  },
};

describe('owners of created and updated objects', () => {
  test('a create is owned by its writer, as upstream writes it', () => {
    const entry = updateManagedFields(undefined, base, write).metadata.managedFields?.[0];
    assert.deepEqual(entry, {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: '2026-01-02T12:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"web"}': {
                  '.': {},
                  'f:image': {},
                  'f:name': {},
                  'f:ports': {
                    '.': {},
                    'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
                  },
                  'f:resources': {},
                },
              },
            },
          },
        },
      },
    });
  });

  test('what an update changes goes to its writer', () => {
    const live = updateManagedFields(undefined, base, write);
    const next = withSpec(live, { ...specOf(live), replicas: 5, paused: true });
    const result = updateManagedFields(live, next, { ...write, manager: 'kubectl-edit', nowMs: noon + 60_000 });
    assert.deepEqual(fieldsOf(result, 'kubectl-edit'), { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } });
    assert.equal(hasOwner(result, 'kubectl-create', 'f:spec', 'f:replicas'), false);
    assert.equal(timeOf(result, 'kubectl-edit'), '2026-01-02T12:01:00Z');
    assert.equal(timeOf(result, 'kubectl-create'), '2026-01-02T12:00:00Z');
  });

  test('what an update takes away is nobody’s', () => {
    const live = applyPatch(undefined, plain(base), { ...write, manager: 'alice', force: false });
    const { replicas: _, ...spec } = specOf(live);
    const result = updateManagedFields(live, withSpec(live, spec), write);
    assert.equal(hasOwner(result, 'alice', 'f:spec', 'f:replicas'), false);
    assert.equal(hasOwner(result, 'alice', 'f:spec', 'f:selector'), true);
    assert.equal(result.metadata.managedFields?.length, 1);
  });

  test('an update that changes nothing leaves owners and times', () => {
    const live = updateManagedFields(undefined, base, write);
    const later = { ...write, manager: 'other', nowMs: noon + 60_000 };
    assert.deepEqual(updateManagedFields(live, live, later), live);
    const stamped = { ...live, metadata: { ...live.metadata, resourceVersion: '8', generation: 2 } };
    assert.deepEqual(updateManagedFields(live, stamped, later).metadata.managedFields, live.metadata.managedFields);
  });

  test('writers that know nothing of owners do not change them', () => {
    const live = updateManagedFields(undefined, base, write);
    const result = updateManagedFields(live, plain(live), write);
    assert.deepEqual(result.metadata.managedFields, live.metadata.managedFields);
  });

  test('writers can say who owns what, and that nobody does', () => {
    const live = updateManagedFields(undefined, base, write);
    const [entry] = live.metadata.managedFields ?? [];
    const renamed = withEntries(live, [{ ...entry, manager: 'renamed' }]);
    assert.deepEqual(
      updateManagedFields(live, renamed, write).metadata.managedFields?.map(({ manager }) => manager),
      ['renamed'],
    );
    for (const entries of [[], [{}]]) {
      const reset = updateManagedFields(live, withEntries(live, entries), write);
      assert.equal(reset.metadata.managedFields, undefined);
      assert.deepEqual(
        updateManagedFields(reset, withSpec(reset, { replicas: 2 }), write).metadata.managedFields,
        undefined,
      );
    }
  });

  test('entries that cannot be read count as none', () => {
    const live = updateManagedFields(undefined, base, write);
    const broken = withEntries(live, [{ manager: 'x', operation: 'Apply', apiVersion: 'apps/v1' }]);
    assert.deepEqual(updateManagedFields(live, broken, write).metadata.managedFields, live.metadata.managedFields);
  });

  test('a subresource has entries of its own, and cannot change others', () => {
    const live = updateManagedFields(undefined, base, write);
    const next = {
      ...withEntries(live, [{}]),
      status: { replicas: 1, conditions: [{ type: 'Available', status: 'True' }] },
    };
    const resetFields = { members: new Set(['f:spec']), children: new Map() };
    const controller = { ...write, manager: 'controller', subresource: 'status', resetFields };
    const result = updateManagedFields(live, next, controller);
    assert.deepEqual(
      result.metadata.managedFields?.map(({ manager, subresource }) => [manager, subresource]),
      [
        ['controller', 'status'],
        ['kubectl-create', undefined],
      ],
    );
    assert.deepEqual(fieldsOf(result, 'controller'), {
      'f:status': {
        'f:conditions': { '.': {}, 'k:{"type":"Available"}': { '.': {}, 'f:status': {}, 'f:type': {} } },
        'f:replicas': {},
      },
    });
  });

  test('a writer without a name is unknown', () => {
    const entries = updateManagedFields(undefined, base, { ...write, manager: '' }).metadata.managedFields;
    assert.deepEqual(
      entries?.map(({ manager }) => manager),
      ['unknown'],
    );
  });

  test('after ten writers the oldest are put together', () => {
    let live = updateManagedFields(undefined, plain({ ...base, spec: {} }), write);
    for (let index = 0; index < 12; index += 1) {
      const labels = { ...live.metadata.labels, [`l${String(index)}`]: 'x' };
      const next = { ...live, metadata: { ...live.metadata, labels } };
      live = updateManagedFields(live, next, {
        ...write,
        manager: `m${String(index)}`,
        nowMs: noon + (index + 1) * 1000,
      });
    }
    const names = (live.metadata.managedFields ?? []).map(({ manager }) => manager);
    assert.equal(names.length, 10);
    assert.equal(names[0], 'ancient-changes');
    assert.deepEqual(fieldsOf(live, 'ancient-changes'), {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, 'f:l0': {}, 'f:l1': {}, 'f:l2': {} } },
    });
    assert.equal(timeOf(live, 'ancient-changes'), '2026-01-02T12:00:03Z');
  });

  test('owners in a version that is gone are forgotten, others are read in theirs', () => {
    const live = updateManagedFields(undefined, base, write);
    const old = { ...live.metadata.managedFields?.[0], manager: 'old' };
    const known = withEntries(live, [
      { ...old, apiVersion: 'apps/v1beta1' },
      { ...old, apiVersion: 'apps/v1beta9' },
    ]);
    const next = withSpec(known, { ...specOf(known), replicas: 9 });
    const convert: Write['convert'] = (object, version) =>
      version === 'apps/v1beta1' ? { object, schema: sampleDeployment } : undefined;
    const result = updateManagedFields(known, next, { ...write, convert });
    assert.deepEqual(
      result.metadata.managedFields?.map(({ apiVersion }) => apiVersion),
      ['apps/v1', 'apps/v1beta1'],
    );
    assert.equal(hasOwner(result, 'old', 'f:spec', 'f:replicas'), false);
  });
});

function plain(object: Resource): Resource {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withEntries(object: Resource, managedFields: NonNullable<Resource['metadata']['managedFields']>): Resource {
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function withSpec(object: Resource, spec: Record<string, unknown>): Resource {
  return { ...object, spec };
}

function specOf(object: Resource): Record<string, unknown> {
  return object['spec'] as Record<string, unknown>;
}

function fieldsOf(object: Resource, manager: string): unknown {
  return object.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;
}

function timeOf(object: Resource, manager: string): string | undefined {
  return object.metadata.managedFields?.find((entry) => entry.manager === manager)?.time;
}

function hasOwner(object: Resource, manager: string, ...path: string[]): boolean {
  let at = fieldsOf(object, manager);
  for (const step of path) at = (at as Record<string, unknown> | undefined)?.[step];
  return at !== undefined;
}
