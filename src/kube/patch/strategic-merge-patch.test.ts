import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { listOf, mapOf, mergedList, sampleDeployment, structOf, text, whole } from '#kit/sample-schemas.ts';

import type { Tree } from './json-tree.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const item = structOf('v1.Item', {
  name: text,
  value: whole,
  labels: mapOf(text),
  tags: mergedList(listOf(text, 'set')),
  inner: mergedList(listOf(structOf('v1.Inner', { key: text, n: whole }), 'map', ['key']), 'key'),
});
const schema = structOf('v1.Thing', {
  name: text,
  value: whole,
  items: mergedList(listOf(item, 'map', ['name']), 'name'),
  tags: mergedList(listOf(text, 'set')),
  plain: listOf(text),
  labels: mapOf(text),
  strategy: {
    schema: structOf('v1.Strategy', { type: text, a: text, b: text }),
    patch: { merges: false, retainsKeys: true, mergeKey: undefined },
  },
  whole: {
    schema: structOf('v1.Selector', { a: text, b: text }),
    patch: { merges: false, retainsKeys: false, mergeKey: undefined },
  },
});

type Row = readonly [string, Tree, Tree, Tree];

const fits: readonly Row[] = [
  ['sets fields', { name: 'a' }, { value: 1 }, { name: 'a', value: 1 }],
  ['null takes a field away', { name: 'a', value: 1 }, { value: null }, { name: 'a' }],
  ['null for no field is nothing', { name: 'a' }, { value: null, labels: { x: null } }, { name: 'a', labels: {} }],
  ['merges maps', { labels: { a: '1', b: '2' } }, { labels: { b: null, c: '3' } }, { labels: { a: '1', c: '3' } }],
  ['replaces plain lists', { plain: ['a', 'b'] }, { plain: ['c'] }, { plain: ['c'] }],
  ['takes another type as it is', { labels: { a: '1' } }, { labels: ['x'] }, { labels: ['x'] }],
  [
    'merges lists by key',
    { items: [{ name: 'a', value: 1 }, { name: 'b' }] },
    { items: [{ name: 'b', value: 2 }] },
    {
      items: [
        { name: 'a', value: 1 },
        { name: 'b', value: 2 },
      ],
    },
  ],
  [
    'adds items before those of the server',
    { items: [{ name: 'a' }] },
    { items: [{ name: 'b' }] },
    { items: [{ name: 'b' }, { name: 'a' }] },
  ],
  ['makes a list', {}, { items: [{ name: 'b', value: null }] }, { items: [{ name: 'b' }] }],
  [
    'deletes an item',
    { items: [{ name: 'a' }, { name: 'b' }] },
    { items: [{ name: 'a', $patch: 'delete' }] },
    { items: [{ name: 'b' }] },
  ],
  [
    'deletes all items of a name',
    { items: [{ name: 'a' }, { name: 'a' }] },
    { items: [{ name: 'a', $patch: 'delete' }] },
    { items: [] },
  ],
  ['deletes nothing from no list', {}, { items: [{ name: 'a', $patch: 'delete' }] }, { items: [] }],
  [
    'replaces a list',
    { items: [{ name: 'a' }, { name: 'b' }] },
    { items: [{ name: 'c' }, { $patch: 'replace' }] },
    { items: [{ name: 'c' }] },
  ],
  ['empties a list', { items: [{ name: 'a' }] }, { items: [{ $patch: 'replace' }] }, { items: [] }],
  ['replaces a map', { labels: { a: '1' } }, { labels: { b: '2', $patch: 'replace' } }, { labels: { b: '2' } }],
  ['empties a map', { labels: { a: '1' } }, { labels: { $patch: 'delete' } }, { labels: {} }],
  ['does not make a map to empty it', {}, { labels: { $patch: 'delete' } }, {}],
  ['replaces where the schema says so', { whole: { a: '1' } }, { whole: { b: '2' } }, { whole: { b: '2' } }],
  [
    'deletes inside items',
    { items: [{ name: 'a', inner: [{ key: 'x', n: 1 }, { key: 'y' }] }] },
    { items: [{ name: 'a', inner: [{ key: 'x', $patch: 'delete' }] }] },
    { items: [{ name: 'a', inner: [{ key: 'y' }] }] },
  ],
  ['adds primitives once, the patch first', { tags: ['a', 'b'] }, { tags: ['c', 'a'] }, { tags: ['c', 'a', 'b'] }],
  [
    'deletes primitives',
    { tags: ['a', 'b', 'c'] },
    { '$deleteFromPrimitiveList/tags': ['b', 'x'] },
    { tags: ['a', 'c'] },
  ],
  ['deletes primitives of no list', {}, { '$deleteFromPrimitiveList/tags': ['b'] }, {}],
  [
    'orders primitives',
    { tags: ['a', 'b', 'c'] },
    { '$setElementOrder/tags': ['d', 'c', 'a'], '$deleteFromPrimitiveList/tags': ['b'], tags: ['d'] },
    { tags: ['d', 'c', 'a'] },
  ],
  [
    'orders items',
    { items: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
    { '$setElementOrder/items': [{ name: 'c' }, { name: 'a' }] },
    { items: [{ name: 'b' }, { name: 'c' }, { name: 'a' }] },
  ],
  [
    'keeps items of the server in their place',
    { items: [{ name: 'a' }, { name: 'server' }, { name: 'c' }] },
    { '$setElementOrder/items': [{ name: 'a' }, { name: 'b' }, { name: 'c' }], items: [{ name: 'b' }] },
    { items: [{ name: 'a' }, { name: 'b' }, { name: 'server' }, { name: 'c' }] },
  ],
  [
    'orders and deletes',
    { items: [{ name: 'a' }, { name: 'b' }] },
    { '$setElementOrder/items': [{ name: 'b' }], items: [{ name: 'a', $patch: 'delete' }] },
    { items: [{ name: 'b' }] },
  ],
  ['orders a new list', {}, { '$setElementOrder/tags': ['b', 'a'], tags: ['b', 'a'] }, { tags: ['b', 'a'] }],
  ['orders no list', {}, { '$setElementOrder/tags': ['b', 'a'] }, {}],
  [
    'retains keys',
    { strategy: { type: 'A', a: '1' } },
    { strategy: { $retainKeys: ['type', 'b'], type: 'B', b: '2' } },
    { strategy: { type: 'B', b: '2' } },
  ],
  ['retains keys of nothing', {}, { strategy: { $retainKeys: ['type'], type: 'B' } }, { strategy: { type: 'B' } }],
  [
    'takes no directive over into new parts',
    {},
    { items: [{ name: 'a', '$setElementOrder/tags': ['x'], tags: ['x'] }] },
    { items: [{ name: 'a', tags: ['x'] }] },
  ],
  [
    'treats __proto__ as a key',
    { labels: {} },
    JSON.parse('{"labels":{"__proto__":"x"}}') as Tree,
    { labels: JSON.parse('{"__proto__":"x"}') as Tree },
  ],
];

const misfits: readonly (readonly [Tree, Tree, string])[] = [
  [
    { items: [{ name: 'a' }] },
    { items: [{ value: 1 }] },
    'map: map[value:1] does not contain declared merge key: name',
  ],
  [
    { items: [{ value: 1 }] },
    { items: [{ name: 'a' }] },
    'map: map[value:1] does not contain declared merge key: name',
  ],
  [
    { items: [{ name: 'a' }] },
    { items: [{ $patch: 'delete' }] },
    'map: map[$patch:delete] does not contain declared merge key: name',
  ],
  [
    { items: [{ name: 'a' }] },
    { items: [{ name: 'a', $patch: 'x' }] },
    'unknown patch type: x in map: map[$patch:x name:a]',
  ],
  [
    { items: [{ name: 'a' }] },
    { items: [{ name: 'a', $patch: 'merge' }] },
    'merging lists cannot yet be specified in the patch',
  ],
  [{ labels: {} }, { labels: { $patch: 'merge' } }, 'unknown patch type: merge in map: map[$patch:merge]'],
  [{ items: [{ name: 'a' }] }, { items: ['a'] }, 'list element types are not identical: [[map[name:a]] [a]]'],
  [{ tags: ['a'] }, { '$deleteFromPrimitiveList/tags': 'a' }, 'invalid patch format of primitive list'],
  [{ tags: ['a'] }, { $deleteFromPrimitiveList: ['a'] }, 'invalid patch format of primitive list'],
  [{ tags: ['a'] }, { $setElementOrder: ['a'] }, 'invalid patch format of setElementOrder list'],
  [{ tags: ['a'] }, { '$setElementOrder/tags': 'a' }, 'expected a []interface {}, but received a string'],
  [{ strategy: {} }, { strategy: { $retainKeys: 'type' } }, 'invalid patch format of retainKeys'],
  [{ strategy: {} }, { strategy: { $retainKeys: ['a'], type: 'B' } }, 'invalid patch format of retainKeys'],
  [
    { items: [{ name: 'a' }] },
    { '$setElementOrder/items': [{ name: 'a' }], items: [{ name: 'b' }] },
    "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
  ],
];

describe('strategic merge patch', () => {
  for (const [name, object, patch, expected] of fits) {
    test(name, () => {
      const before = JSON.stringify([object, patch]);
      assert.deepEqual(applyStrategicMergePatch(object, patch, schema), expected);
      assert.equal(JSON.stringify([object, patch]), before, 'the arguments stay as they are');
    });
  }

  for (const [object, patch, message] of misfits) {
    test(`refuses: ${message}`, () => {
      assert.throws(() => applyStrategicMergePatch(object, patch, schema), { code: 400, message });
    });
  }

  test('refuses lists of lists', () => {
    const message = /lists of lists are not supported/;
    assert.throws(() => applyStrategicMergePatch({ tags: [['a']] }, { tags: [['b']] }, schema), { code: 422, message });
  });

  test('wants an object', () => {
    for (const patch of [null, [], 'x']) {
      assert.throws(() => applyStrategicMergePatch({}, patch, schema), { code: 400, message: 'invalid JSON document' });
    }
  });

  test('carries out what kubectl apply sends', () => {
    const live = {
      spec: {
        replicas: 1,
        template: {
          spec: {
            containers: [
              { name: 'app', image: 'a:1', ports: [{ containerPort: 80, protocol: 'TCP' }] },
              { name: 'side' },
            ],
          },
        },
      },
    };
    const patch = {
      spec: {
        template: {
          spec: {
            '$setElementOrder/containers': [{ name: 'app' }],
            containers: [{ name: 'app', image: 'a:2', '$setElementOrder/ports': [{ containerPort: 80 }] }],
          },
        },
      },
    };
    assert.deepEqual(applyStrategicMergePatch(live, patch, sampleDeployment), {
      spec: {
        replicas: 1,
        template: {
          spec: {
            containers: [
              { name: 'app', image: 'a:2', ports: [{ containerPort: 80, protocol: 'TCP' }] },
              { name: 'side' },
            ],
          },
        },
      },
    });
  });
});
