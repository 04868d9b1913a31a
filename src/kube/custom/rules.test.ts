import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { causesOf } from '../validation/faults.ts';
import { celName } from './cel-value.ts';
import type { JsonSchema, ValidationRule } from './json-schema.ts';
import { ValidationRules } from './rules.ts';

const spec: JsonSchema = {
  type: 'object',
  properties: {
    min: { type: 'integer' },
    max: { type: 'integer' },
    ratio: { type: 'number' },
    'my-name': { type: 'string' },
    namespace: { type: 'string' },
    since: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
    },
    any: { 'x-kubernetes-int-or-string': true },
  },
};

function withRules(...rules: readonly ValidationRule[]): JsonSchema {
  return { type: 'object', properties: { spec: { ...spec, 'x-kubernetes-validations': rules } } };
}

function faults(rule: ValidationRule | string, value: unknown, old?: unknown): readonly string[] {
  const schema = withRules(typeof rule === 'string' ? { rule } : rule);
  const before = old === undefined ? undefined : { spec: old };
  return causesOf([...new ValidationRules().faults({ spec: value }, schema, before)]).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

const definition = (rule: ValidationRule): readonly string[] =>
  causesOf([...new ValidationRules().definitionFaults(withRules(rule), 'schema')]).map(
    ({ field, message }) => `${field.replace('schema.properties[spec].x-kubernetes-validations[0].', '')}: ${message}`,
  );

describe('rules of custom resources', () => {
  for (const [rule, value] of [
    ['self.min <= self.max', { min: 1, max: 2 }],
    ['self.ratio > 0.5', { ratio: 1 }],
    ['self.my__dash__name == "a" && self.__namespace__ == "b"', { 'my-name': 'a', namespace: 'b' }],
    ['self.since < timestamp("2027-01-01T00:00:00Z")', { since: '2026-01-01T00:00:00Z' }],
    ['self.wait > duration("1m")', { wait: '2m' }],
    ['self.labels.all(k, k.startsWith("a"))', { labels: { a: '1', 'a-b': '2' } }],
    ['"x" in self.labels', { labels: { x: '' } }],
    ['self.ports.exists(p, p.port == 80)', { ports: [{ name: 'a', port: 80 }] }],
    ['has(self.max) ? self.max > 0 : true', {}],
    ['type(self.any) == int', { any: 1 }],
    ['self.?max.orValue(7) == 7', {}],
  ] as const)
    test(rule, () => {
      assert.deepEqual(faults(rule, value), []);
    });

  test('say what is wrong, in the words of the rule', () => {
    const value = { min: 2, max: 1 };
    const rule = 'self.min <= self.max';
    assert.deepEqual(faults(rule, value), [`spec: Invalid value: "object": failed rule: ${rule}`]);
    assert.deepEqual(faults({ rule, message: 'min before max' }, value), [
      'spec: Invalid value: "object": min before max',
    ]);
    const messageExpression = '"min is %d".format([self.min])';
    assert.deepEqual(faults({ rule, messageExpression }, value), ['spec: Invalid value: "object": min is 2']);
    assert.deepEqual(faults({ rule, messageExpression: 'self.nothing', message: 'x' }, value), [
      'spec: Invalid value: "object": x',
    ]);
    assert.deepEqual(faults({ rule, reason: 'FieldValueForbidden', fieldPath: '.min', message: 'x' }, value), [
      'spec.min: Forbidden: x',
    ]);
  });

  test('that cannot be evaluated are errors', () => {
    assert.deepEqual(faults('self.min > 0', {}), [
      'spec: Invalid value: "object": no such key: min evaluating rule: self.min > 0',
    ]);
  });

  test('about a change need an object before', () => {
    const rule = 'self.max >= oldSelf.max';
    assert.deepEqual(faults(rule, { max: 1 }), []);
    assert.deepEqual(faults(rule, { max: 3 }, { max: 2 }), []);
    assert.deepEqual(faults({ rule, message: 'x' }, { max: 1 }, { max: 2 }), ['spec: Invalid value: "object": x']);
    const optional = { rule: 'oldSelf.hasValue() || self.max == 1', optionalOldSelf: true, message: 'x' };
    assert.deepEqual(faults(optional, { max: 1 }), []);
    assert.deepEqual(faults(optional, { max: 2 }), ['spec: Invalid value: "object": x']);
    assert.deepEqual(faults(optional, { max: 2 }, { max: 1 }), []);
  });

  test('items of a list are found again by their keys', () => {
    const ports: JsonSchema = {
      ...spec.properties?.['ports'],
      items: {
        ...spec.properties?.['ports']?.items,
        'x-kubernetes-validations': [{ rule: 'self.port == oldSelf.port', message: 'stays' }],
      },
    };
    const schema: JsonSchema = { type: 'object', properties: { ports } };
    const value = {
      ports: [
        { name: 'b', port: 1 },
        { name: 'a', port: 2 },
      ],
    };
    const old = { ports: [{ name: 'a', port: 3 }] };
    const found = [...new ValidationRules().faults(value, schema, old)];
    assert.deepEqual(
      found.map(({ path, detail }) => [path, detail]),
      [['ports[1]', 'stays']],
    );
  });

  test('the root sees the name', () => {
    const schema: JsonSchema = { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.metadata.name == "a"' }] };
    const rules = new ValidationRules();
    assert.deepEqual([...rules.faults({ metadata: { name: 'a' } }, schema, undefined)], []);
    assert.equal([...rules.faults({ metadata: { name: 'b' } }, schema, undefined)][0]?.path, '<nil>');
  });

  test('that would take too long are not begun', () => {
    const rule = 'self.ports.all(a, self.ports.all(b, self.ports.all(c, a.port + b.port > c.port)))';
    const ports = Array.from({ length: 500 }, (_, index) => ({ name: String(index), port: index }));
    assert.match(faults(rule, { ports })[0] ?? '', /running out of cost budget/);
  });
});

describe('rules of a definition', () => {
  test('compile', () => {
    assert.deepEqual(definition({ rule: 'self.min <= self.max', messageExpression: '"a" + string(self.min)' }), []);
    assert.match(
      definition({ rule: 'self.min <=' })[0] ?? '',
      /^rule: Invalid value: "self.min <=": compilation failed: ERROR: <input>: /,
    );
    assert.match(definition({ rule: '1 + "a"' })[0] ?? '', /compilation failed/);
    assert.match(definition({ rule: 'other > 1' })[0] ?? '', /compilation failed/);
  });

  for (const [rule, field] of [
    ['self.nothing > 1', 'nothing'],
    ['has(self.nothing)', 'nothing'],
    ['self.ports.all(p, p.prot > 1)', 'prot'],
    ['self.ports[0].prot > 1', 'prot'],
    ['self.my_name == ""', 'my_name'],
  ] as const)
    test(`${rule} names a field that is not there`, () => {
      assert.deepEqual(definition({ rule }), [
        `rule: Invalid value: ${JSON.stringify(rule)}: compilation failed: ERROR: <input>: undefined field '${field}'`,
      ]);
    });

  test('give what is asked for', () => {
    assert.match(definition({ rule: '"text"' })[0] ?? '', /must evaluate to a bool/);
    assert.match(definition({ rule: 'true', messageExpression: '1' })[0] ?? '', /must evaluate to a string/);
    assert.match(definition({ rule: ' ' })[0] ?? '', /rule is not specified/);
    assert.match(definition({ rule: 'true', optionalOldSelf: true })[0] ?? '', /may not be set if oldSelf is not used/);
    assert.match(definition({ rule: 'true', reason: 'Because' })[0] ?? '', /Unsupported value: "Because"/);
  });

  test('name fields as they can be written', () => {
    assert.deepEqual(['a-b', 'a.b', 'a/b', 'a__b', 'in'].map(celName), [
      'a__dash__b',
      'a__dot__b',
      'a__slash__b',
      'a__underscores__b',
      '__in__',
    ]);
  });
});
