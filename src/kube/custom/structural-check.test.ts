import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { causesOf } from '../validation/faults.ts';
import type { JsonSchema } from './json-schema.ts';
import { structuralFaults } from './structural-check.ts';

const check = (schema: JsonSchema): readonly string[] =>
  causesOf([...structuralFaults(schema, 'schema')]).map(({ field, message }) => `${field}: ${message}`);

const object = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({ type: 'object', properties });

describe('structural schemas', () => {
  test('say a type of each value', () => {
    assert.deepEqual(check({}), ['schema.type: Required value: must not be empty at the root']);
    assert.deepEqual(check({ type: 'string' }), ['schema.type: Invalid value: "string": must be object at the root']);
    assert.deepEqual(
      check(object({ a: {}, b: { type: 'array', items: {} }, c: { type: 'array' }, d: { type: 'text' } })),
      [
        'schema.properties[a].type: Required value: must not be empty for specified object fields',
        'schema.properties[b].items.type: Required value: must not be empty for specified array items',
        'schema.properties[c].items: Required value: must be specified',
        'schema.properties[d].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"',
      ],
    );
  });

  test('may leave it to unknown fields and numbers or text', () => {
    assert.deepEqual(
      check(
        object({
          a: { 'x-kubernetes-preserve-unknown-fields': true },
          b: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
          c: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        }),
      ),
      [],
    );
    assert.deepEqual(check(object({ a: { 'x-kubernetes-embedded-resource': true } })), [
      'schema.properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is true',
    ]);
  });

  test('do not say what cannot be', () => {
    assert.deepEqual(
      check({ type: 'object', properties: {}, additionalProperties: { type: 'string' }, uniqueItems: true }).map(
        (fault) => fault.split(': ').slice(0, 2).join(': '),
      ),
      ['schema.uniqueItems: Forbidden', 'schema.additionalProperties: Forbidden'],
    );
    assert.deepEqual(check({ type: 'object', additionalProperties: false }), [
      'schema.additionalProperties: Forbidden: additionalProperties cannot be set to false',
    ]);
    assert.deepEqual(check(object({ a: { type: 'string', pattern: '+' } })), [
      'schema.properties[a].pattern: Invalid value: "+": must be a valid regular expression, but isn\'t: error parsing regexp: missing argument to repetition operator: `+`',
    ]);
  });

  test('only narrow in combinations what is there', () => {
    assert.deepEqual(
      check({
        ...object({ a: { type: 'string' } }),
        anyOf: [{ properties: { a: { type: 'string' }, b: { minLength: 1 } } }],
      }),
      [
        'schema.anyOf[0].properties[a].type: Forbidden: must be empty to be structural',
        'schema.properties[b]: Required value: because it is defined in schema.anyOf[0].properties[b]',
      ],
    );
    assert.deepEqual(check({ ...object({ a: { type: 'string' } }), not: { properties: { a: { minLength: 1 } } } }), []);
  });

  test('have keys of lists that are always there', () => {
    const list = (keys: readonly string[] | undefined, items: JsonSchema): JsonSchema =>
      object({
        a: {
          type: 'array',
          items,
          'x-kubernetes-list-type': 'map',
          ...(keys && { 'x-kubernetes-list-map-keys': keys }),
        },
      });
    const item = { type: 'object', properties: { name: { type: 'string' } } };
    assert.match(check(list(undefined, item))[0] ?? '', /must not be empty if x-kubernetes-list-type is map/);
    assert.match(check(list(['other'], item))[0] ?? '', /entries must all be names of item properties/);
    assert.match(check(list(['name'], item))[0] ?? '', /must have a default or be a required property/);
    assert.deepEqual(check(list(['name'], { ...item, required: ['name'] })), []);
  });

  test('have an end', () => {
    let schema: JsonSchema = { type: 'string' };
    for (let depth = 0; depth < 200; depth += 1) schema = object({ a: schema });
    assert.match(check(schema).at(-1) ?? '', /must not be nested more than 100 times/);
  });
});

test('parts that are no schemas are told, and never break the check', () => {
  const strange: readonly unknown[] = [null, 5, 'text', [], [null], {}];
  for (const part of strange) {
    const schema = {
      type: 'object',
      properties: { a: { type: 'array', items: part }, b: part },
      additionalProperties: part,
    };
    assert.ok(check(schema as unknown as JsonSchema).length > 0, JSON.stringify(part));
  }
  const none = check({ type: 'object', properties: { a: null } } as unknown as JsonSchema);
  assert.deepEqual(none, ['schema.properties[a]: Invalid value: "null": must be a schema object']);
});
