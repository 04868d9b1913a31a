import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { isObject } from '#base/json.ts';
import { sampleDeployment } from '#kit/sample-schemas.ts';

import type { Schema } from '../schema.ts';
import { equalJson, own, type Tree } from './json-tree.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

test('the two-way difference, applied to the first object, gives the second', () => {
  const objects = valueOf(sampleDeployment) as fc.Arbitrary<Tree>;
  fc.assert(
    fc.property(objects, objects, (from, to) => {
      const patch = differenceOf(from, to, sampleDeployment, false);
      assert.deepEqual(applyStrategicMergePatch(from, patch, sampleDeployment), to, JSON.stringify(patch));
    }),
    { numRuns: 500 },
  );
});

test('an object without difference has an empty patch', () => {
  fc.assert(
    fc.property(valueOf(sampleDeployment) as fc.Arbitrary<Tree>, (object) => {
      assert.deepEqual(differenceOf(object, object, sampleDeployment, false), {});
      assert.deepEqual(applyStrategicMergePatch(object, {}, sampleDeployment), object);
    }),
  );
});

/** Any value of a schema, small: few names, so that objects have much in common. */
function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.type === 'scalar') {
    if (schema.scalar === 'boolean') return fc.boolean();
    return schema.scalar === 'string' ? fc.constantFrom('a', 'b', 'c') : fc.integer({ min: 0, max: 2 });
  }
  if (schema.type === 'map')
    return fc.dictionary(fc.constantFrom('a', 'b', 'c'), valueOf(schema.values), { maxKeys: 3, noNullPrototype: true });
  if (schema.type === 'any') return fc.constantFrom('x', { y: 1 });
  if (schema.type === 'list') {
    // Strategic patches know one key where server-side apply may know two.
    const key = schema.keys[0];
    const selector = key === undefined ? (item: unknown) => item : (item: unknown) => (item as Tree)[key];
    const items = valueOf(schema.items).filter((item) => key === undefined || Object.hasOwn(item as Tree, key));
    return schema.kind === 'atomic'
      ? fc.array(items, { maxLength: 3 })
      : fc.uniqueArray(items, { selector, maxLength: 3 });
  }
  const keys = [...schema.fields].map(([name, field]) => [name, fc.option(valueOf(field.schema), { nil: undefined })]);
  return fc.record(Object.fromEntries(keys) as Record<string, fc.Arbitrary<unknown>>).map((object) => {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
  });
}

/** The patch that clients make, as upstream's CreateTwoWayMergePatch does. */
function differenceOf(from: Tree, to: Tree, schema: Schema, retains: boolean): Tree {
  const patch: Tree = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const old = own(from, key);
    if (equalJson(old, value)) continue;
    const field = schema.type === 'struct' ? schema.fields.get(key) : undefined;
    const type = schema.type === 'map' ? schema.values : field?.schema;
    const strategy = field?.patch;
    const replaces = strategy !== undefined && !strategy.merges && !strategy.retainsKeys;
    if (isObject(old) && isObject(value) && !replaces && type !== undefined)
      patch[key] = differenceOf(old, value, type, strategy?.retainsKeys ?? false);
    else if (
      Array.isArray(old) &&
      Array.isArray(value) &&
      strategy?.merges === true &&
      old.length > 0 &&
      type?.type === 'list'
    )
      Object.assign(patch, differenceOfLists(key, old, value, type.items, strategy.mergeKey, strategy.retainsKeys));
    else patch[key] = value;
  }
  if (retains && Object.keys(to).length > 0) patch['$retainKeys'] = Object.keys(to).toSorted();
  return patch;
}

function differenceOfLists(
  name: string,
  from: unknown[],
  to: unknown[],
  items: Schema,
  mergeKey: string | undefined,
  retains: boolean,
): Tree {
  if (mergeKey === undefined) {
    return {
      [name]: to.filter((item) => !from.includes(item)),
      [`$deleteFromPrimitiveList/${name}`]: from.filter((item) => !to.includes(item)),
      [`$setElementOrder/${name}`]: to,
    };
  }
  const old = new Map((from as Tree[]).map((item) => [item[mergeKey], item]));
  const kept = new Set((to as Tree[]).map((item) => item[mergeKey]));
  const changes = (to as Tree[]).flatMap((item) => {
    const before = old.get(item[mergeKey]);
    if (before === undefined) return [item];
    return equalJson(before, item)
      ? []
      : [{ ...differenceOf(before, item, items, retains), [mergeKey]: item[mergeKey] }];
  });
  const gone = [...old.keys()].filter((key) => !kept.has(key)).map((key) => ({ [mergeKey]: key, $patch: 'delete' }));
  return {
    [name]: [...changes, ...gone],
    [`$setElementOrder/${name}`]: (to as Tree[]).map((item) => ({ [mergeKey]: item[mergeKey] })),
  };
}
