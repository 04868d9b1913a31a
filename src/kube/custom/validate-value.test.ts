import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { causesOf } from '../validation/faults.ts';
import { applyDefaults } from './default-values.ts';
import { hasFormat } from './formats.ts';
import { parseJsonPath } from './json-path.ts';
import type { JsonSchema } from './json-schema.ts';
import { prune } from './prune.ts';
import { validateValue } from './validate-value.ts';

function faults(a: unknown, schema: JsonSchema, old?: unknown): readonly string[] {
  const whole: JsonSchema = { type: 'object', properties: { a: schema } };
  const before = old === undefined ? undefined : { a: old };
  return causesOf(validateValue({ a }, whole, before)).map(({ field, message }) => `${field}: ${message}`);
}

describe('values are validated in the words of upstream', () => {
  const rows: readonly (readonly [unknown, JsonSchema, string])[] = [
    ['x', { type: 'integer' }, 'a: Invalid value: "string": a in body must be of type integer: "string"'],
    [1.5, { type: 'integer' }, 'a: Invalid value: "number": a in body must be of type integer: "number"'],
    [null, { type: 'string' }, 'a: Invalid value: "null": a in body must be of type string: "null"'],
    [
      true,
      { 'x-kubernetes-int-or-string': true },
      'a: Invalid value: "boolean": a in body must be of type integer,string: "boolean"',
    ],
    [0, { type: 'integer', minimum: 1 }, 'a: Invalid value: 0: a in body should be greater than or equal to 1'],
    [
      1,
      { type: 'integer', minimum: 1, exclusiveMinimum: true },
      'a: Invalid value: 1: a in body should be greater than 1',
    ],
    [9, { type: 'integer', maximum: 8 }, 'a: Invalid value: 9: a in body should be less than or equal to 8'],
    [5, { type: 'integer', multipleOf: 2 }, 'a: Invalid value: 5: a in body should be a multiple of 2'],
    ['ab', { type: 'string', maxLength: 1 }, 'a: Too long: may not be more than 1 bytes'],
    ['', { type: 'string', minLength: 1 }, 'a: Invalid value: "": a in body should be at least 1 chars long'],
    ['B', { type: 'string', pattern: '^a$' }, `a: Invalid value: "B": a in body should match '^a$'`],
    ['x', { type: 'string', enum: ['y', 'z'] }, 'a: Unsupported value: "x": supported values: "y", "z"'],
    ['x', { type: 'string', format: 'date-time' }, 'a: Invalid value: "x": a in body must be of type date-time: "x"'],
    [[], { type: 'array', minItems: 1 }, 'a: Invalid value: 0: a in body should have at least 1 items'],
    [[1, 2], { type: 'array', maxItems: 1 }, 'a: Too many: 2: must have at most 1 items'],
    [['x', 'x'], { type: 'array', 'x-kubernetes-list-type': 'set' }, 'a[1]: Duplicate value: "x"'],
    [
      [{ n: 1 }, { n: 1, m: 2 }],
      { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['n'] },
      'a[1]: Duplicate value: {"n":1}',
    ],
    [{}, { type: 'object', required: ['b'] }, 'a.b: Required value'],
    [{}, { type: 'object', minProperties: 1 }, 'a: Invalid value: 1: a in body should have at least 1 properties'],
    [
      { b: {} },
      { type: 'object', additionalProperties: { type: 'string' } },
      'a.b: Invalid value: "object": a.b in body must be of type string: "object"',
    ],
    [
      [{ c: 1 }],
      { type: 'array', items: { type: 'object', properties: { c: { type: 'string' } } } },
      'a[0].c: Invalid value: "integer": a[0].c in body must be of type string: "integer"',
    ],
    [5, { type: 'integer', not: { minimum: 3 } }, '<nil>: Invalid value: "": "a" must not validate the schema (not)'],
    [
      5,
      { type: 'integer', oneOf: [{ minimum: 1 }, { minimum: 2 }] },
      '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  ];
  for (const [value, schema, text] of rows)
    test(text, () => {
      assert.deepEqual(faults(value, schema), [text]);
    });

  test('alternatives tell the nearest', () => {
    assert.deepEqual(
      faults(0, { type: 'integer', anyOf: [{ minimum: 1 }, { minimum: 2, multipleOf: 7, maximum: -1 }] }),
      [
        '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        'a: Invalid value: 0: a in body should be greater than or equal to 1',
      ],
    );
    assert.deepEqual(faults(0, { type: 'integer', allOf: [{ minimum: 1 }] }), [
      'a: Invalid value: 0: a in body should be greater than or equal to 1',
      '<nil>: Invalid value: "": "a" must validate all the schemas (allOf). None validated',
    ]);
  });

  test('looking for more ends somewhere', () => {
    const list = Array.from({ length: 10_000 }, () => 1);
    assert.equal(faults(list, { type: 'array', items: { type: 'string' } }).length, 500);
  });

  test('embedded objects say what they are', () => {
    const schema: JsonSchema = { type: 'object', 'x-kubernetes-embedded-resource': true };
    assert.deepEqual(faults({ kind: 'Pod' }, schema), ['a.apiVersion: Required value: must not be empty']);
  });

  test('what did not change is not looked at', () => {
    const items: JsonSchema = {
      type: 'object',
      properties: { n: { type: 'integer' }, m: { type: 'string', maxLength: 1 } },
    };
    const list: JsonSchema = {
      type: 'array',
      items,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['n'],
    };
    assert.deepEqual(faults('ab', { type: 'string', maxLength: 1 }, 'ab'), []);
    assert.equal(faults('abc', { type: 'string', maxLength: 1 }, 'ab').length, 1);
    assert.deepEqual(
      faults(
        [
          { n: 2, m: 'x' },
          { n: 1, m: 'long' },
        ],
        list,
        [{ n: 1, m: 'long' }],
      ),
      [],
    );
    assert.equal(faults([{ n: 1, m: 'longer' }], list, [{ n: 1, m: 'long' }]).length, 1);
  });

  test('any value of any schema ends in errors or none', () => {
    const leaf = fc.record(
      {
        type: fc.constantFrom('string', 'integer', 'boolean', 'number'),
        nullable: fc.boolean(),
        minimum: fc.integer(),
        maxLength: fc.nat(3),
        enum: fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 2 }),
        format: fc.constantFrom('date', 'ipv4', 'unknown'),
      },
      { requiredKeys: ['type'], noNullPrototype: true },
    );
    const schema = fc.letrec<{ node: JsonSchema }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf as fc.Arbitrary<JsonSchema>,
        tie('node').map((items) => ({ type: 'array', items })),
        fc.dictionary(fc.constantFrom('a', 'b'), tie('node')).map((properties) => ({ type: 'object', properties })),
        tie('node').map((additionalProperties) => ({ type: 'object', additionalProperties })),
      ),
    })).node;
    fc.assert(
      fc.property(
        schema,
        fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue(), { noNullPrototype: true }),
        (of, value) => {
          const whole: JsonSchema = { type: 'object', properties: { a: of } };
          const copy = structuredClone(value) as Record<string, unknown>;
          prune(copy, whole);
          assert.deepEqual(prune(copy, whole), []);
          applyDefaults(copy, whole);
          for (const error of validateValue(copy, whole, undefined)) assert.equal(typeof error.detail, 'string');
          assert.deepEqual(validateValue(copy, whole, copy), []);
        },
      ),
    );
  });
});

describe('pruning and defaults', () => {
  test('unknown fields go, but where they are kept', () => {
    const object = {
      apiVersion: 'a',
      metadata: { x: 1 },
      a: { b: 1, c: { d: 1 } },
      e: { f: { g: 1 } },
      m: { k: { z: 1 } },
    };
    const schema: JsonSchema = {
      type: 'object',
      properties: {
        a: { type: 'object', properties: { c: { type: 'object' } } },
        e: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        m: { type: 'object', additionalProperties: { type: 'object' } },
      },
    };
    assert.deepEqual(prune(object, schema), ['a.b', 'a.c.d', 'm.k.z']);
    assert.deepEqual(object, { apiVersion: 'a', metadata: { x: 1 }, a: { c: {} }, e: { f: { g: 1 } }, m: { k: {} } });
  });

  test('null is filled where it cannot be', () => {
    const value = { foo: null, bar: null, baz: null };
    applyDefaults(value, {
      type: 'object',
      properties: {
        foo: { type: 'string', default: 'x' },
        bar: { type: 'string', nullable: true },
        baz: { type: 'string' },
        deep: { type: 'object', default: {}, properties: { a: { type: 'integer', default: 1 } } },
      },
    });
    assert.deepEqual(value, { foo: 'x', bar: null, deep: { a: 1 } });
  });
});

describe('paths', () => {
  const object = {
    a: {
      'b.c': [1, 2],
      d: [
        { type: 'X', status: 'no' },
        { type: 'Ready', status: 'yes' },
      ],
    },
  };
  for (const [path, values] of [
    ['.a.d[?(@.type=="Ready")].status', ['yes']],
    [String.raw`.a.b\.c[0]`, [1]],
    ['.a.b\\.c[*]', [1, 2]],
    [`.a['b.c'][-1]`, [2]],
    ['.a.d[*].type', ['X', 'Ready']],
    ['{.a.d[0].status}', ['no']],
    ['.nothing.here', []],
  ] as const)
    test(path, () => {
      assert.deepEqual(parseJsonPath(path)?.(object), values);
    });

  test('others are none', () => {
    for (const path of ['', '.a[', '.a[?(@.b)]x[', 'a b']) assert.equal(parseJsonPath(path), undefined, path);
  });
});

describe('formats', () => {
  for (const [format, yes, no] of [
    ['date', '2026-02-28', '2026-02-30'],
    ['date-time', '2026-02-28T00:00:00Z', 'now'],
    ['ipv4', '10.0.0.1', '10.0.0'],
    ['ipv6', '::1', '1'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', 'x'],
    ['byte', 'aGk=', '*'],
    ['duration', '1h', 'long'],
    ['hostname', 'a.example', '-'],
    ['uri', 'http://a/b', 'not a uri'],
    ['mac', '00:11:22:33:44:55', '00'],
    ['rgbcolor', 'rgb(1,2,3)', 'rgb(1,2)'],
  ] as const)
    test(format, () => {
      assert.deepEqual([hasFormat(yes, format), hasFormat(no, format)], [true, false]);
    });
});
