import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Schema, StructSchema } from '../schema.ts';
import { builtinSchema, builtinType, builtinTypeKey, builtinTypeKeys } from './builtin-schemas.ts';

function field(schema: StructSchema | undefined, path: string): Schema | undefined {
  let at: Schema | undefined = schema;
  for (const name of path.split('.')) {
    if (at?.type === 'list') at = at.items;
    if (at?.type === 'map') at = at.values;
    at = at?.type === 'struct' ? at.fields.get(name)?.schema : undefined;
  }
  return at;
}

describe('builtin schemas', () => {
  test('know kinds by group, version and kind, and share them', () => {
    const deployment = builtinSchema('apps', 'v1', 'Deployment');
    assert.equal(deployment?.name, 'v1.Deployment');
    assert.equal(builtinSchema('apps', 'v1', 'Deployment'), deployment);
    assert.equal(builtinType(builtinTypeKey('apps', 'v1', 'Deployment')), deployment);
    assert.equal(builtinSchema('rbac.authorization.k8s.io', 'v1', 'Role')?.name, 'v1.Role');
    assert.equal(builtinSchema('', 'v1', 'PodList')?.name, 'v1.PodList');
  });

  test('know kinds that each group version has', () => {
    assert.equal(builtinSchema('policy', 'v1', 'DeleteOptions')?.name, 'v1.DeleteOptions');
    assert.equal(builtinSchema('', 'v1', 'Status')?.name, 'v1.Status');
  });

  test('have no kinds for what is not one', () => {
    assert.equal(builtinSchema('', 'v1', 'PodSpec'), undefined);
    assert.equal(builtinSchema('', 'v1', 'Nothing'), undefined);
    assert.equal(builtinSchema('example.com', 'v1', 'Pod'), undefined);
    assert.equal(builtinSchema('', 'v1', '__proto__'), undefined);
  });

  test('say how lists merge and what patches need', () => {
    const podSpec = builtinType('core/v1.PodSpec');
    assert.deepEqual(podSpec?.fields.get('containers')?.patch, {
      merges: true,
      retainsKeys: false,
      mergeKey: 'name',
    });
    assert.equal(podSpec.fields.get('volumes')?.patch?.retainsKeys, true);
    assert.equal(podSpec.fields.get('containers')?.isRequired, true);
    const ports = builtinType('core/v1.Container')?.fields.get('ports')?.schema;
    assert.ok(ports?.type === 'list');
    assert.deepEqual([ports.kind, ports.keys], ['map', ['containerPort', 'protocol']]);
    assert.equal(builtinType('core/v1.ContainerPort')?.fields.get('protocol')?.defaultValue, 'TCP');
    assert.equal(field(podSpec, 'nodeSelector')?.type === 'map' && podSpec.fields.has('nodeSelector'), true);
  });

  test('say who owns whole values, also where one field differs from its type', () => {
    assert.equal(builtinType('core/v1.ObjectReference')?.isAtomic, true);
    const claim = field(builtinType('core/v1.PersistentVolumeSpec'), 'claimRef');
    assert.ok(claim?.type === 'struct');
    assert.equal(claim.isAtomic, false);
    assert.equal(claim.fields, builtinType('core/v1.ObjectReference')?.fields);
  });

  test('have inlined fields among the others, with the numbers that lead to them', () => {
    const volume = builtinType('core/v1.Volume');
    assert.deepEqual(volume?.fields.get('emptyDir')?.go, {
      path: [2, 2],
      isPointer: true,
      omitsEmpty: true,
      omitsZero: false,
    });
    assert.deepEqual(builtinType('core/v1.Pod')?.fields.get('kind')?.go?.path, []);
    assert.deepEqual(builtinType('core/v1.ObjectReference')?.fields.get('kind')?.go?.path, [1]);
  });

  test('know scalars of all sorts', () => {
    const scalarOf = (key: string, name: string): unknown => {
      const schema = builtinType(key)?.fields.get(name)?.schema;
      return schema?.type === 'scalar' ? schema.scalar : schema?.type;
    };
    assert.equal(scalarOf('meta/v1.ObjectMeta', 'creationTimestamp'), 'time');
    assert.equal(scalarOf('coordination/v1.LeaseSpec', 'renewTime'), 'micro-time');
    assert.equal(scalarOf('core/v1.ServicePort', 'targetPort'), 'int-or-string');
    assert.equal(scalarOf('meta/v1.ManagedFieldsEntry', 'fieldsV1'), 'any');
    assert.equal(scalarOf('metrics/v1beta1.PodMetrics', 'window'), 'duration');
    assert.equal(scalarOf('apiregistration/v1.APIServiceSpec', 'caBundle'), 'bytes');
  });

  test('every type of the table can be read', () => {
    let count = 0;
    for (const key of builtinTypeKeys()) count += builtinType(key)?.fields.size ?? 0;
    assert.ok(count > 2500, String(count));
  });
});
