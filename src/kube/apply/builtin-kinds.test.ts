import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import type { Resource } from '../resource.ts';
import type { Schema, StructSchema } from '../schema.ts';
import { builtinSchema } from '../schemas/builtin-schemas.ts';
import { applyPatch, type ApplyWrite } from './apply-patch.ts';
import { emptySet } from './field-set.ts';
import { updateManagedFields } from './update-managed-fields.ts';

const kinds: readonly (readonly [string, string, string])[] = [
  ['apps', 'v1', 'Deployment'],
  ['', 'v1', 'Pod'],
  ['', 'v1', 'Service'],
  ['', 'v1', 'ConfigMap'],
  ['networking.k8s.io', 'v1', 'NetworkPolicy'],
];

describe('objects of built-in kinds', () => {
  for (const [group, version, kind] of kinds) {
    test(`${kind}: applied whole, again, and by somebody else it stays what it is`, () => {
      const schema = schemaOf(group, version, kind);
      const apiVersion = group === '' ? version : `${group}/${version}`;
      fc.assert(
        fc.property(fc.gen(), (draw) => {
          const { apiVersion: _, kind: __, metadata: ___, ...rest } = draw(() => structs(schema, 0));
          const object: Resource = { apiVersion, kind, metadata: { name: 'x', labels: { a: 'b' } }, ...rest };
          const write = writeOf(schema, apiVersion, 'alice');
          const first = applyPatch(undefined, object, write);
          assert.deepEqual(withoutOwners(first), object);
          assert.deepEqual(applyPatch(first, object, { ...write, nowMs: 99_000 }), first);
          const both = applyPatch(first, object, { ...write, manager: 'bob' });
          assert.deepEqual(withoutOwners(both), object);
          const [alice, bob] = both.metadata.managedFields ?? [];
          assert.deepEqual(alice?.fieldsV1, bob?.fieldsV1);
          const updated = updateManagedFields(both, { ...object }, { ...write, manager: 'carol' });
          assert.deepEqual(updated, both);
        }),
        { numRuns: 60 },
      );
    });
  }

  test('ports of a Pod are told apart by number and protocol', () => {
    const schema = schemaOf('', 'v1', 'Pod');
    const write = writeOf(schema, 'v1', 'alice');
    const pod = (ports: unknown): Resource => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'dns' },
      spec: { containers: [{ name: 'dns', ports }] },
    });
    const udp = applyPatch(undefined, pod([{ containerPort: 53, protocol: 'UDP' }]), write);
    const both = applyPatch(udp, pod([{ containerPort: 53, name: 'tcp' }]), { ...write, manager: 'bob' });
    assert.deepEqual((both['spec'] as { containers: { ports: unknown }[] }).containers[0]?.ports, [
      { containerPort: 53, protocol: 'UDP' },
      { containerPort: 53, name: 'tcp' },
    ]);
    assert.throws(() => applyPatch(both, pod([{ containerPort: 53, name: 'x' }]), write), {
      message:
        'Apply failed with 1 conflict: conflict with "bob": .spec.containers[name="dns"].ports[containerPort=53,protocol="TCP"].name',
    });
  });

  test('ports of a Service, keys of a ConfigMap', () => {
    const service = writeOf(schemaOf('', 'v1', 'Service'), 'v1', 'alice');
    const ports = [{ port: 80 }, { port: 80, protocol: 'UDP' }];
    const created = applyPatch(
      undefined,
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports } },
      service,
    );
    assert.deepEqual(created.metadata.managedFields?.[0]?.fieldsV1?.['f:spec'], {
      'f:ports': {
        'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
        'k:{"port":80,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
      },
    });
    const map = writeOf(schemaOf('', 'v1', 'ConfigMap'), 'v1', 'alice');
    const config = (data: Record<string, string>): Resource => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      data,
    });
    const both = applyPatch(applyPatch(undefined, config({ a: '1' }), map), config({ b: '2' }), {
      ...map,
      manager: 'bob',
    });
    assert.deepEqual(applyPatch(both, config({ c: '3' }), map)['data'], { b: '2', c: '3' });
  });

  test('strategic patches know the keys of the lists', () => {
    const pod = {
      spec: { containers: [{ name: 'a', image: 'x', env: [{ name: 'E', value: '1' }] }], tolerations: [{ key: 'k' }] },
    };
    const patch = {
      metadata: { finalizers: ['f'] },
      spec: {
        containers: [{ name: 'a', env: [{ name: 'F', value: '2' }] }, { name: 'b' }],
        tolerations: [{ key: 'other' }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    };
    assert.deepEqual(applyStrategicMergePatch(pod, patch, schemaOf('', 'v1', 'Pod')), {
      metadata: { finalizers: ['f'] },
      spec: {
        containers: [
          {
            name: 'a',
            image: 'x',
            env: [
              { name: 'F', value: '2' },
              { name: 'E', value: '1' },
            ],
          },
          { name: 'b' },
        ],
        tolerations: [{ key: 'other' }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    });
  });
});

function schemaOf(group: string, version: string, kind: string): StructSchema {
  const schema = builtinSchema(group, version, kind);
  assert.ok(schema !== undefined, `${group}/${version} ${kind}`);
  return schema;
}

function writeOf(schema: StructSchema, version: string, manager: string): ApplyWrite {
  return { manager, force: false, subresource: '', version, nowMs: 0, schema, resetFields: emptySet };
}

function withoutOwners(object: Resource): Resource {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Some fields of a struct, fewer the deeper it is; always the keys of list items. */
function structs(
  schema: StructSchema,
  depth: number,
  keys: readonly string[] = [],
): fc.Arbitrary<Record<string, unknown>> {
  const fields = [...schema.fields];
  return fc.subarray(fields, { maxLength: Math.min(fields.length, Math.max(1, 5 - depth)) }).chain((some) => {
    const chosen = new Map([...some, ...fields.filter(([name]) => keys.includes(name))]);
    const rows = [...chosen].map(([name, field]) => [name, values(field.schema, depth + 1)] as const);
    return fc.record(Object.fromEntries(rows) as Record<string, fc.Arbitrary<unknown>>, { noNullPrototype: true });
  });
}

function values(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (schema.type === 'struct') return structs(schema, depth);
  if (schema.type === 'any') return fc.constantFrom<unknown>('x', { a: [1] });
  if (schema.type === 'map')
    return fc.dictionary(fc.constantFrom('a', 'b'), values(schema.values, depth + 1), { noNullPrototype: true });
  if (schema.type === 'list') {
    const { items, keys } = schema;
    const item = items.type === 'struct' ? structs(items, depth + 1, keys) : values(items, depth + 1);
    // Keys that are absent count as their defaults; the generated ones are all there.
    const selector = (one: unknown): unknown =>
      schema.kind === 'map'
        ? JSON.stringify(keys.map((key) => (one as Record<string, unknown>)[key]))
        : JSON.stringify(one);
    return schema.kind === 'atomic'
      ? fc.array(item, { maxLength: 2 })
      : fc.uniqueArray(item, { selector, maxLength: 3 });
  }
  if (schema.scalar === 'boolean') return fc.boolean();
  const isNumber = ['int32', 'int64', 'double'].includes(schema.scalar);
  return isNumber ? fc.integer({ min: 0, max: 3 }) : fc.constantFrom('u', 'v', 'w');
}
