import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { equalJson, type Tree } from './json-tree.ts';
import { applyMergePatch } from './merge-patch.ts';

describe('JSON merge patch', () => {
  // The rows of RFC 7386, appendix A, whose target and patch are objects.
  const rows: readonly (readonly [Tree, Tree, Tree])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [document, patch, expected] of rows) {
    test(`${JSON.stringify(document)} + ${JSON.stringify(patch)}`, () =>
      assert.deepEqual(applyMergePatch(document, patch), expected));
  }

  test('wants an object', () => {
    assert.throws(() => applyMergePatch({}, ['a']), {
      code: 400,
      message: 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    });
    for (const patch of [null, 'x', 1]) assert.throws(() => applyMergePatch({}, patch), { code: 400 });
  });

  test('the difference of two documents, applied to the first, gives the second', () => {
    const { tree } = fc.letrec<{ tree: Tree; value: unknown }>((tie) => ({
      tree: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), { maxKeys: 4 }),
      value: fc.oneof(
        { maxDepth: 3 },
        fc.integer({ max: 3 }),
        fc.array(fc.integer({ max: 3 }), { maxLength: 3 }),
        tie('tree'),
      ),
    }));
    fc.assert(
      fc.property(tree, tree, (from, to) => {
        const before = JSON.stringify(from);
        assert.ok(equalJson(applyMergePatch(from, differenceOf(from, to)), to));
        assert.equal(JSON.stringify(from), before);
      }),
    );
  });
});

function differenceOf(from: Tree, to: Tree): Tree {
  const rows: [string, unknown][] = Object.keys(from)
    .filter((key) => !Object.hasOwn(to, key))
    .map((key) => [key, null]);
  for (const [key, value] of Object.entries(to)) {
    const old = Object.hasOwn(from, key) ? from[key] : undefined;
    if (equalJson(old, value)) continue;
    rows.push([key, isTree(old) && isTree(value) ? differenceOf(old, value) : value]);
  }
  return Object.fromEntries(rows);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
