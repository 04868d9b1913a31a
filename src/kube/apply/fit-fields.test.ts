import assert from 'node:assert/strict';
import { test } from 'node:test';

import { listOf, mapOf, sampleDeployment, structOf, text } from '#kit/sample-schemas.ts';

import type { Resource } from '../resource.ts';
import type { StructSchema } from '../schema.ts';
import { applyPatch, type ApplyWrite } from './apply-patch.ts';
import { emptySet } from './field-set.ts';
import { fitToSchema } from './fit-fields.ts';
import { readManagedFields } from './managed-fields.ts';

const item = structOf('', { name: text, value: text });
const granular = custom({
  settings: mapOf(text),
  items: listOf(item, 'map', ['name']),
  inner: structOf('', { a: text }),
});
const atomic = custom({
  settings: mapOf(text, true),
  items: listOf(item),
  inner: structOf('', { a: text }, { isAtomic: true }),
});

test('who owned parts of what has become atomic owns all of it', () => {
  const config = thing({ settings: { x: '1' }, items: [{ name: 'a', value: '1' }], inner: { a: '1' } });
  const live = applyPatch(undefined, config, writeOf('alice', granular));
  const changed = thing({ settings: { y: '2' }, items: [{ name: 'b' }], inner: { a: '1' } });
  assert.doesNotThrow(() => applyPatch(live, changed, writeOf('bob', granular)));
  assert.throws(() => applyPatch(live, changed, writeOf('bob', atomic)), {
    message: 'Apply failed with 2 conflicts: conflicts with "alice":\n- .spec.items\n- .spec.settings',
  });
  const again = applyPatch(live, config, writeOf('alice', atomic));
  assert.deepEqual(again.metadata.managedFields?.[0]?.fieldsV1, {
    'f:spec': { 'f:inner': {}, 'f:items': {}, 'f:settings': {} },
  });
  assert.deepEqual(again['spec'], config['spec']);
});

test('owners in other versions, and of built-in kinds, stay as they are', () => {
  const live = applyPatch(undefined, thing({ settings: { x: '1' } }), writeOf('alice', granular));
  const managed = readManagedFields(live.metadata.managedFields);
  const kind = { schema: atomic, version: 'example.org/v2', resetFields: emptySet };
  assert.deepEqual(fitToSchema(managed, kind), managed);
  assert.equal(fitToSchema(managed, { ...kind, schema: sampleDeployment }), managed);
});

function custom(fields: Parameters<typeof structOf>[1]): StructSchema {
  const metadata = structOf('', { name: text });
  return structOf('', { apiVersion: text, kind: text, metadata, spec: structOf('', fields) });
}

function thing(spec: Record<string, unknown>): Resource {
  return { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'one' }, spec };
}

function writeOf(manager: string, schema: StructSchema): ApplyWrite {
  return { manager, schema, force: false, subresource: '', version: 'example.org/v1', nowMs: 0, resetFields: emptySet };
}
