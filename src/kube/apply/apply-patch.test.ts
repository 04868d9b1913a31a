import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { deployment, ownersOf, specOf, template, withMetadata, withSpec } from '#kit/sample-objects.ts';
import { sampleDeployment } from '#kit/sample-schemas.ts';

import type { Resource } from '../resource.ts';
import { ApiError } from '../status.ts';
import { applyPatch, type ApplyWrite } from './apply-patch.ts';
import { emptySet } from './field-set.ts';
import { updateManagedFields } from './update-managed-fields.ts';

const noon = Date.parse('2026-01-02T12:00:00Z');
const write: ApplyWrite = {
  manager: 'alice',
  force: false,
  subresource: '',
  version: 'apps/v1',
  nowMs: noon,
  schema: sampleDeployment,
  resetFields: emptySet,
};
const bob: ApplyWrite = { ...write, manager: 'bob' };

describe('server-side apply', () => {
  test('creates an object with its owner', () => {
    const object = applyPatch(
      undefined,
      deployment({ replicas: 2, ...template({ name: 'app', image: 'a:1' }) }),
      write,
    );
    assert.deepEqual(object['spec'], { replicas: 2, ...template({ name: 'app', image: 'a:1' }) });
    assert.deepEqual(object.metadata, {
      name: 'web',
      namespace: 'default',
      labels: { app: 'web' },
      managedFields: [
        {
          manager: 'alice',
          operation: 'Apply',
          apiVersion: 'apps/v1',
          time: '2026-01-02T12:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': { 'f:labels': { 'f:app': {} } },
            'f:spec': {
              'f:replicas': {},
              'f:template': {
                'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
              },
            },
          },
        },
      ],
    });
  });

  test('changes nothing when it is applied again, at any time', () => {
    const config = deployment({ replicas: 2, ...template({ name: 'app', ports: [{ containerPort: 80 }] }) });
    const first = applyPatch(undefined, config, write);
    assert.deepEqual(applyPatch(first, config, { ...write, nowMs: noon + 5000 }), first);
  });

  test('notes the time when the manager changes something, or owns something new', () => {
    const first = applyPatch(undefined, deployment({ replicas: 2 }), write);
    const changed = applyPatch(first, deployment({ replicas: 3 }), { ...write, nowMs: noon + 5000 });
    assert.deepEqual(timesOf(changed), { alice: '2026-01-02T12:00:05Z' });
    const shared = applyPatch(changed, deployment({ replicas: 3 }), { ...bob, nowMs: noon + 9000 });
    assert.deepEqual(timesOf(shared), { alice: '2026-01-02T12:00:05Z', bob: '2026-01-02T12:00:09Z' });
  });

  test('refuses what would change the field of another', () => {
    const live = applyPatch(undefined, deployment({ replicas: 2 }), write);
    assert.throws(
      () => applyPatch(live, deployment({ replicas: 3 }), bob),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.deepEqual(error.toStatus(), {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: 'Apply failed with 1 conflict: conflict with "alice": .spec.replicas',
          reason: 'Conflict',
          details: {
            causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "alice"', field: '.spec.replicas' }],
          },
          code: 409,
        });
        return true;
      },
    );
  });

  test('names all conflicts, by owner', () => {
    const live = applyPatch(undefined, deployment({ replicas: 2, ...template({ name: 'app', image: 'a:1' }) }), write);
    const updated = withSpec(live, { ...specOf(live), paused: true });
    const both = updateManagedFields(live, updated, { ...write, manager: 'kubectl-edit', subresource: 'scale' });
    assert.throws(
      () =>
        applyPatch(both, deployment({ replicas: 3, paused: false, ...template({ name: 'app', image: 'a:2' }) }), bob),
      {
        message:
          'Apply failed with 3 conflicts: conflicts with "alice":\n- .spec.replicas\n' +
          '- .spec.template.spec.containers[name="app"].image\n' +
          'conflicts with "kubectl-edit" with subresource "scale" using apps/v1:\n- .spec.paused',
      },
    );
  });

  test('takes fields by force', () => {
    const live = applyPatch(undefined, deployment({ replicas: 2, paused: true }), write);
    const taken = applyPatch(live, deployment({ replicas: 3 }), { ...bob, force: true });
    assert.equal(specOf(taken)['replicas'], 3);
    assert.deepEqual(ownersOf(taken, 'f:spec', 'f:replicas'), ['bob']);
    assert.deepEqual(ownersOf(taken, 'f:spec', 'f:paused'), ['alice']);
  });

  test('lets several own a field with one value', () => {
    const live = applyPatch(undefined, deployment({ replicas: 2 }), write);
    const shared = applyPatch(live, deployment({ replicas: 2 }), bob);
    assert.deepEqual(ownersOf(shared, 'f:spec', 'f:replicas'), ['alice', 'bob']);
    assert.throws(() => applyPatch(shared, deployment({ replicas: 3 }), write), /conflict with "bob": .spec.replicas/);
    const left = applyPatch(shared, deployment({}), bob);
    assert.equal(specOf(left)['replicas'], 2);
    assert.deepEqual(ownersOf(left, 'f:spec', 'f:replicas'), ['alice']);
  });

  test('removes what the manager leaves out and nobody else applies', () => {
    const live = applyPatch(
      undefined,
      deployment({ replicas: 2, paused: true, strategy: { type: 'Recreate' } }),
      write,
    );
    assert.deepEqual(specOf(applyPatch(live, deployment({ replicas: 2 }), write)), { replicas: 2 });
    const nothing = applyPatch(live, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }, write);
    assert.deepEqual(nothing, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
    });
  });

  test('keeps what was there without an owner', () => {
    const live = applyPatch(undefined, deployment({ replicas: 2, ...template({ name: 'app', image: 'a:1' }) }), write);
    const defaulted = withSpec(live, { ...specOf(live), ...template({ name: 'app', image: 'a:1', stdin: false }) });
    const result = applyPatch(
      defaulted,
      deployment({ replicas: 3, ...template({ name: 'app', image: 'a:2' }) }),
      write,
    );
    assert.deepEqual(specOf(result), { replicas: 3, ...template({ name: 'app', image: 'a:2', stdin: false }) });
  });

  test('removes items of lists, also with what others have put in', () => {
    const live = applyPatch(undefined, deployment(template({ name: 'a', image: 'a:1' }, { name: 'b' })), write);
    const shared = applyPatch(live, deployment(template({ name: 'b', image: 'b:1' })), bob);
    const left = applyPatch(shared, deployment(template({ name: 'a', image: 'a:1' })), write);
    assert.deepEqual(specOf(left), template({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }));
    const gone = applyPatch(left, deployment(template()), bob);
    assert.deepEqual(specOf(gone), template({ name: 'a', image: 'a:1' }));
  });

  test('tells items apart by keys that have defaults', () => {
    const live = applyPatch(undefined, deployment(template({ name: 'a', ports: [{ containerPort: 53 }] })), write);
    const both = applyPatch(
      live,
      deployment(template({ name: 'a', ports: [{ containerPort: 53, protocol: 'UDP', name: 'dns' }] })),
      bob,
    );
    assert.deepEqual(
      specOf(both),
      template({
        name: 'a',
        ports: [{ containerPort: 53, protocol: 'UDP', name: 'dns' }, { containerPort: 53 }].toReversed(),
      }),
    );
    const named = applyPatch(
      both,
      deployment(template({ name: 'a', ports: [{ containerPort: 53, protocol: 'TCP', name: 'x' }] })),
      write,
    );
    const ports = containerOf(named)['ports'] as Record<string, unknown>[];
    assert.deepEqual(
      ports.find((port) => port['name'] === 'x'),
      { containerPort: 53, protocol: 'TCP', name: 'x' },
    );
    assert.equal(ports.length, 2);
  });

  test('orders items as they were applied, between those of others', () => {
    const live = applyPatch(undefined, deployment(template({ name: 'a' }, { name: 'b' }, { name: 'c' })), write);
    const result = applyPatch(live, deployment(template({ name: 'c' }, { name: 'n' }, { name: 'a' })), bob);
    assert.deepEqual(namesOf(result), ['b', 'c', 'n', 'a']);
  });

  test('merges sets by value', () => {
    const live = applyPatch(undefined, withMetadata({ finalizers: ['a/b', 'c/d'] }), write);
    const both = applyPatch(live, withMetadata({ finalizers: ['e/f', 'a/b'] }), bob);
    assert.deepEqual(both.metadata.finalizers, ['e/f', 'a/b', 'c/d']);
    const left = applyPatch(both, withMetadata({}), write);
    assert.deepEqual(left.metadata.finalizers, ['e/f', 'a/b']);
  });

  test('has one owner for lists, maps and structs that are atomic', () => {
    const selector = { matchLabels: { app: 'web' } };
    const live = applyPatch(undefined, deployment({ selector }), write);
    assert.deepEqual(ownersOf(live, 'f:spec', 'f:selector'), ['alice']);
    const other = deployment({ selector: { matchLabels: { tier: 'x' } } });
    assert.throws(() => applyPatch(live, other, bob), /conflict with "alice": .spec.selector$/);
    assert.deepEqual(specOf(applyPatch(live, other, { ...bob, force: true })), {
      selector: { matchLabels: { tier: 'x' } },
    });
    const args = applyPatch(undefined, deployment(template({ name: 'a', args: ['x'] })), write);
    assert.throws(() => applyPatch(args, deployment(template({ name: 'a', args: ['y'] })), bob), /\[name="a"\]\.args$/);
  });

  test('owns empty maps, and keys of maps one by one', () => {
    const live = applyPatch(undefined, withMetadata({ labels: {} }), write);
    assert.deepEqual(ownersOf(live, 'f:metadata', 'f:labels'), ['alice']);
    const both = applyPatch(live, withMetadata({ labels: { x: '1' } }), bob);
    assert.deepEqual(both.metadata.labels, { x: '1' });
    assert.throws(
      () => applyPatch(both, withMetadata({ labels: { x: '2' } }), write),
      /conflict with "bob": .metadata.labels.x$/,
    );
  });

  test('reads null as a field that shall not be there', () => {
    const live = applyPatch(undefined, deployment({ replicas: 2, paused: true }), write);
    const result = applyPatch(live, deployment({ replicas: null, paused: true }), write);
    assert.deepEqual(specOf(result), { paused: true });
    assert.throws(
      () => applyPatch(live, deployment({ replicas: null }), bob),
      /conflict with "alice": .spec.replicas$/,
    );
  });

  test('owns nothing of fields that the endpoint does not write', () => {
    const resetFields = { members: new Set(['f:status']), children: new Map() };
    const config = { ...deployment({ replicas: 1 }), status: { replicas: 7 } };
    const object = applyPatch(undefined, config, { ...write, resetFields });
    assert.deepEqual(ownersOf(object, 'f:status', 'f:replicas'), []);
    assert.deepEqual(ownersOf(object, 'f:spec', 'f:replicas'), ['alice']);
  });

  test('calls the owner of what was there before the first apply by a name of its own', () => {
    const live = {
      ...deployment({ replicas: 2, paused: true }),
      metadata: { name: 'web', uid: 'u', creationTimestamp: 'x' },
    };
    assert.throws(() => applyPatch(live, deployment({ replicas: 3 }), write), {
      message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    });
    const result = applyPatch(live, deployment({ replicas: 2 }), write);
    assert.deepEqual(ownersOf(result, 'f:spec', 'f:replicas'), ['alice', 'before-first-apply']);
    assert.deepEqual(ownersOf(result, 'f:metadata', 'f:uid'), []);
  });

  test('keeps subresources and versions apart', () => {
    const live = applyPatch(undefined, deployment({ replicas: 2 }), write);
    const status = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, status: { replicas: 2 } };
    const both = applyPatch(live, status, { ...write, subresource: 'status' });
    assert.equal(specOf(both)['replicas'], 2);
    assert.deepEqual(
      both.metadata.managedFields?.map((entry) => entry.subresource),
      [undefined, 'status'],
    );
  });
});

function containersOf(object: Resource): Record<string, unknown>[] {
  const { spec } = specOf(object)['template'] as { spec: { containers: Record<string, unknown>[] } };
  return spec.containers;
}

function containerOf(object: Resource): Record<string, unknown> {
  return containersOf(object)[0] ?? {};
}

function namesOf(object: Resource): unknown[] {
  return containersOf(object).map((container) => container['name']);
}

function timesOf(object: Resource): Record<string, string | undefined> {
  return Object.fromEntries((object.metadata.managedFields ?? []).map(({ manager, time }) => [manager ?? '', time]));
}
