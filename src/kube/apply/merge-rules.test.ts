import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { listOf, mapOf, structOf, text, whole } from '#kit/sample-schemas.ts';

import type { Resource } from '../resource.ts';
import { ApiError } from '../status.ts';
import { applyPatch, type ApplyWrite } from './apply-patch.ts';
import { emptySet, parseFields, pathsOf, printPath } from './field-set.ts';

// A model of the merge rules that knows nothing of the code: an object is a map from paths to values, and each path has a
// set of owners. Paths of list items and map keys have no value of their own: they are there or not.
interface Model {
  readonly values: Map<string, string>;
  readonly owners: Map<string, Set<string>>;
}

const there = 'there';
const item = structOf('v1.Item', {
  name: text,
  x: text,
  y: whole,
  tags: listOf(text, 'set'),
  deep: listOf(structOf('v1.Deep', { id: whole, kind: { schema: text, defaultValue: 'A' }, v: text }), 'map', [
    'id',
    'kind',
  ]),
});
const schema = structOf('v1.Thing', {
  apiVersion: text,
  kind: text,
  metadata: structOf('v1.ObjectMeta', { name: text, labels: mapOf(text) }),
  spec: structOf('v1.ThingSpec', {
    a: text,
    b: whole,
    plain: listOf(text),
    fixed: mapOf(text, true),
    free: mapOf(text),
    set: listOf(text, 'set'),
    items: listOf(item, 'map', ['name']),
    inner: structOf('v1.Inner', { p: text, q: text }),
  }),
});

const words = fc.constantFrom('u', 'v', 'w');
const numbers = fc.integer({ min: 0, max: 2 });
const few = { minLength: 1, maxLength: 3 };
const bag = fc.dictionary(words, words, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
const specs = fc.record(
  {
    a: words,
    b: numbers,
    plain: fc.array(words, few),
    fixed: bag,
    free: bag,
    set: fc.uniqueArray(words, few),
    items: fc.uniqueArray(
      fc.record(
        {
          name: words,
          x: words,
          y: numbers,
          tags: fc.uniqueArray(words, few),
          deep: fc.uniqueArray(
            fc.record(
              { id: numbers, kind: fc.constantFrom('A', 'B'), v: words },
              { requiredKeys: ['id', 'kind'], noNullPrototype: true },
            ),
            { ...few, selector: ({ id, kind }) => `${String(id)}${kind}` },
          ),
        },
        { requiredKeys: ['name'], noNullPrototype: true },
      ),
      { ...few, selector: ({ name }) => name },
    ),
    inner: fc.record({ p: words, q: words }, { requiredKeys: ['p'], noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const configs = fc.record({ labels: fc.option(bag, { nil: undefined }), spec: specs }).map(({ labels, spec }) => ({
  apiVersion: 'example.org/v1',
  kind: 'Thing',
  metadata: { name: 'one', ...(labels === undefined ? {} : { labels }) },
  ...(Object.keys(spec).length === 0 ? {} : { spec }),
}));
const managers = fc.constantFrom('alice', 'bob', 'carol');
const histories = fc.array(fc.record({ manager: managers, config: configs, force: fc.boolean() }), { maxLength: 10 });

describe('the merge rules', () => {
  test('give the same object, owners and conflicts as the model, in any order of applies by three managers', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const model: Model = { values: new Map(), owners: new Map() };
        let object: Resource | undefined;
        for (const [index, { manager, config, force }] of history.entries()) {
          const expected = force ? [] : conflictsInModel(model, manager, flatten(config));
          const before = JSON.stringify([object, config]);
          const outcome = attempt(() => applyPatch(object, config, writeOf(manager, force, index)));
          assert.equal(JSON.stringify([object, config]), before, 'the arguments stay as they are');
          if (outcome instanceof ApiError) {
            const causes = outcome.details?.causes?.map(({ field, message }) => `${message} ${String(field)}`);
            assert.deepEqual(causes?.toSorted(), expected);
            continue;
          }
          assert.deepEqual(expected, []);
          object = outcome;
          applyToModel(model, manager, flatten(config));
          assert.deepEqual(flatten(object), sortedMap(model.values));
          assert.deepEqual(ownersOf(object), ownersInModel(model));
        }
      }),
      { numRuns: 400 },
    );
  });

  test('applied twice, a configuration changes nothing', () => {
    fc.assert(
      fc.property(histories, configs, managers, (history, config, manager) => {
        const object = run(history);
        const first = applyPatch(object, config, writeOf(manager, true, 50));
        assert.deepEqual(applyPatch(first, config, writeOf(manager, false, 99)), first);
      }),
    );
  });

  test('an object that one manager applies whole is that object', () => {
    fc.assert(
      fc.property(configs, (config) => {
        const { managedFields, ...metadata } = applyPatch(undefined, config, writeOf('alice', false, 0)).metadata;
        assert.deepEqual({ ...applyPatch(undefined, config, writeOf('alice', false, 0)), metadata }, config);
        assert.ok((managedFields?.length ?? 0) <= 1);
      }),
    );
  });

  test('who applies by force has exactly what was applied', () => {
    fc.assert(
      fc.property(histories, configs, (history, config) => {
        const result = flatten(applyPatch(run(history), config, writeOf('dave', true, 0)));
        for (const [path, value] of flatten(config)) assert.equal(result.get(path), value, path);
      }),
    );
  });

  test('when all have left everything out, nothing is left', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const nothing = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'one' } };
        let object = run(history);
        for (const manager of ['alice', 'bob', 'carol'])
          object = applyPatch(object, nothing, writeOf(manager, false, 0));
        assert.deepEqual(object, nothing);
      }),
    );
  });
});

function run(history: readonly { manager: string; config: Resource }[]): Resource | undefined {
  let object: Resource | undefined;
  for (const { manager, config } of history) object = applyPatch(object, config, writeOf(manager, true, 0));
  return object;
}

function writeOf(manager: string, force: boolean, second: number): ApplyWrite {
  const nowMs = Date.parse('2026-01-01T00:00:00Z') + second * 1000;
  return { manager, force, subresource: '', version: 'example.org/v1', nowMs, schema, resetFields: emptySet };
}

function attempt(work: () => Resource): Resource | ApiError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function applyToModel({ values, owners }: Model, manager: string, config: ReadonlyMap<string, string>): void {
  for (const [path, value] of config) {
    const isNew = values.get(path) !== value;
    owners.set(path, new Set([...(isNew ? [] : (owners.get(path) ?? [])), manager]));
    values.set(path, value);
  }
  for (const [path, who] of owners) {
    if (config.has(path) || !who.delete(manager) || who.size > 0) continue;
    owners.delete(path);
    values.delete(path);
  }
}

function conflictsInModel({ values, owners }: Model, manager: string, config: ReadonlyMap<string, string>): string[] {
  const conflicts: string[] = [];
  for (const [path, value] of config) {
    if (values.get(path) === value) continue;
    for (const owner of owners.get(path) ?? [])
      if (owner !== manager) conflicts.push(`conflict with "${owner}" ${path}`);
  }
  return conflicts.toSorted();
}

function ownersInModel({ owners }: Model): Record<string, string[]> {
  const rows: Record<string, string[]> = {};
  for (const [path, who] of owners) for (const one of who) (rows[one] ??= []).push(path);
  return Object.fromEntries(Object.entries(rows).map(([one, paths]) => [one, paths.toSorted()]));
}

function ownersOf(object: Resource): Record<string, string[]> {
  const rows = (object.metadata.managedFields ?? []).map(({ manager = '', fieldsV1 }) => {
    return [manager, [...pathsOf(parseFields(fieldsV1))].map(printPath).toSorted()] as const;
  });
  return Object.fromEntries(rows);
}

/** Paths of an object with their values, without what names it. */
function flatten(object: Resource): Map<string, string> {
  const rows = new Map<string, string>();
  const spec = (object['spec'] ?? {}) as Record<string, unknown>;
  const add = (path: string, value: unknown): void => void rows.set(path, JSON.stringify(value));
  for (const [key, value] of Object.entries(object.metadata.labels ?? {})) add(`.metadata.labels.${key}`, value);
  for (const [key, value] of Object.entries(spec)) {
    if (key === 'a' || key === 'b' || key === 'plain') add(`.spec.${key}`, value);
    else if (key === 'fixed') add('.spec.fixed', sortedKeys(value as object));
    else if (key === 'free' || key === 'inner')
      for (const [name, one] of Object.entries(value as object)) add(`.spec.${key}.${name}`, one);
    else if (key === 'set') for (const one of value as string[]) rows.set(`.spec.set[="${one}"]`, there);
    else for (const one of value as Record<string, unknown>[]) flattenItem(one, rows);
  }
  return sortedMap(rows);
}

function flattenItem(one: Record<string, unknown>, rows: Map<string, string>): void {
  const at = `.spec.items[name="${String(one['name'])}"]`;
  rows.set(at, there);
  for (const [key, value] of Object.entries(one)) {
    if (key === 'tags') for (const tag of value as string[]) rows.set(`${at}.tags[="${tag}"]`, there);
    else if (key !== 'deep') rows.set(`${at}.${key}`, JSON.stringify(value));
    else
      for (const { id, kind, ...rest } of value as { id: number; kind: string }[]) {
        const below = `${at}.deep[id=${String(id)},kind="${kind}"]`;
        rows.set(below, there);
        for (const [name, field] of Object.entries({ id, kind, ...rest }))
          rows.set(`${below}.${name}`, JSON.stringify(field));
      }
  }
}

function sortedKeys(value: object): object {
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function sortedMap(map: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...map].toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
