import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sampleDeployment } from '#kit/sample-schemas.ts';

import { applyPatch } from '../apply/apply-patch.ts';
import { emptySet } from '../apply/field-set.ts';
import { applyJsonPatch } from './json-patch.ts';
import { checkDepth, copyJson, equalJson, own, type Tree } from './json-tree.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

test('a patch of too many levels is refused, whatever its kind', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`) as Tree;
  const refused = { code: 400, message: /exceeded max depth/ };
  const value = { ...deep, apiVersion: 'apps/v1', kind: 'Deployment', metadata: {} };
  const write = { manager: 'a', subresource: '', version: 'apps/v1', nowMs: 0, force: false, schema: sampleDeployment };
  assert.throws(() => applyMergePatch({}, deep), refused);
  assert.throws(() => applyStrategicMergePatch({}, deep, sampleDeployment), refused);
  assert.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/a', value: deep }]), refused);
  assert.throws(() => applyPatch(undefined, value, { ...write, resetFields: emptySet }), refused);
  assert.doesNotThrow(() => checkDepth(JSON.parse(`${'['.repeat(400)}${']'.repeat(400)}`)));
});

test('keys are only what an object has itself', () => {
  const tree = JSON.parse('{"__proto__":{"x":1}}') as Tree;
  assert.equal(own({}, 'constructor'), undefined);
  assert.deepEqual(own(tree, '__proto__'), { x: 1 });
  assert.equal(JSON.stringify(copyJson(tree)), '{"__proto__":{"x":1}}');
});

test('values are the same whatever the order of keys', () => {
  const rows: readonly (readonly [unknown, unknown, boolean])[] = [
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [null, {}, false],
    [{ toString: 1 }, { a: 1 }, false],
    ['1', 1, false],
  ];
  for (const [left, right, same] of rows) {
    assert.equal(equalJson(left, right), same);
    assert.equal(equalJson(right, left), same);
  }
});
