import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import {
  difference,
  emptySet,
  equalSets,
  type FieldSet,
  hasPath,
  intersection,
  isEmptySet,
  leaves,
  outside,
  parseFields,
  type Path,
  pathsOf,
  printFields,
  printPath,
  setOfPaths,
  union,
} from './field-set.ts';
import { compareElements, fieldElement, keyElement, parseElement, valueElement } from './path-element.ts';

const elements = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '__proto__').map(fieldElement),
  fc.constantFrom('x', 'y', 1, 10, 9, true).map((name) => keyElement([['name', name]])),
  fc.constantFrom('x', 'y<', 1, 2.5, false).map(valueElement),
  fc.constantFrom('i:0', 'i:9', 'i:10'),
);
const paths: fc.Arbitrary<Path> = fc.array(elements, { minLength: 1, maxLength: 4 });
const sets = fc.array(paths, { maxLength: 12 }).map(setOfPaths);

describe('field sets', () => {
  test('are written and read as they are', () => {
    fc.assert(fc.property(sets, (set) => assert.ok(equalSets(parseFields(printFields(set)), set))));
    fc.assert(
      fc.property(sets, (set) => assert.ok(equalSets(parseFields(JSON.parse(JSON.stringify(printFields(set)))), set))),
    );
  });

  test('are sets of paths', () => {
    fc.assert(
      fc.property(sets, sets, (left, right) => {
        const [ours, theirs] = [textsOf(left), textsOf(right)];
        assert.deepEqual(textsOf(union(left, right)), ours.union(theirs));
        assert.deepEqual(textsOf(intersection(left, right)), ours.intersection(theirs));
        assert.deepEqual(textsOf(difference(left, right)), ours.difference(theirs));
        const below = [...ours].filter(
          (path) => ![...theirs].some((one) => path === one || path.startsWith(`${one}\n`)),
        );
        assert.deepEqual(textsOf(outside(left, right)), new Set(below));
        const ends = [...ours].filter((path) => ![...ours].some((one) => one.startsWith(`${path}\n`)));
        assert.deepEqual(textsOf(leaves(left)), new Set(ends));
        assert.equal(equalSets(left, right), ours.size === theirs.size && ours.isSubsetOf(theirs));
        assert.equal(isEmptySet(difference(left, right)), ours.isSubsetOf(theirs));
      }),
    );
  });

  test('hold the paths that they were made of', () => {
    fc.assert(
      fc.property(fc.array(paths, { maxLength: 8 }), paths, (held, asked) => {
        const has = held.some((path) => path.join('\n') === asked.join('\n'));
        assert.equal(hasPath(setOfPaths(held), asked), has);
      }),
    );
  });

  test('list and write paths in order', () => {
    fc.assert(
      fc.property(sets, (set) => {
        const keys = Object.keys(printFields(set));
        assert.deepEqual(keys, keys.toSorted(compareElements));
      }),
    );
  });

  test('are written as upstream writes them', () => {
    const set = setOfPaths([
      ['f:spec', 'f:replicas'],
      ['f:metadata', 'f:labels', 'f:app'],
      ['f:metadata', 'f:labels'],
      ['f:spec', 'f:containers', 'k:{"name":"b"}', 'f:image'],
      ['f:spec', 'f:containers', 'k:{"name":"b"}'],
      ['f:spec', 'f:containers', 'k:{"name":"a"}'],
      ['f:spec', 'f:finalizers', 'v:"z"'],
      ['f:spec', 'f:finalizers', 'v:3'],
    ]);
    const expected =
      '{"f:metadata":{"f:labels":{".":{},"f:app":{}}},' +
      '"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{},"k:{\\"name\\":\\"b\\"}":{".":{},"f:image":{}}},' +
      '"f:finalizers":{"v:3":{},"v:\\"z\\"":{}},"f:replicas":{}}}';
    assert.equal(JSON.stringify(printFields(set)), expected);
    assert.deepEqual([...pathsOf(set)].map(printPath), [
      '.metadata.labels',
      '.metadata.labels.app',
      '.spec.replicas',
      '.spec.containers[name="a"]',
      '.spec.containers[name="b"]',
      '.spec.containers[name="b"].image',
      '.spec.finalizers[=3]',
      '.spec.finalizers[="z"]',
    ]);
  });
});

describe('steps of paths', () => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['f:a', 'f:a'],
    ['f:', 'f:'],
    ['f:app.kubernetes.io/name', 'f:app.kubernetes.io/name'],
    ['k:{"protocol":"TCP","containerPort":80}', 'k:{"containerPort":80,"protocol":"TCP"}'],
    ['k:{ "name" : "a" }', 'k:{"name":"a"}'],
    ['v:"a\\u003cb"', 'v:"a\\u003cb"'],
    ['v:"a<b"', 'v:"a\\u003cb"'],
    ['v:1.0', 'v:1'],
    ['i:007', 'i:7'],
    ['q:new', undefined],
  ];
  for (const [given, expected] of rows) {
    test(`${given} is ${String(expected)}`, () => assert.equal(parseElement(given), expected));
  }

  test('what is none is refused', () => {
    for (const text of ['', 'f', 'fa', 'v:', 'v:x', 'k:[]', 'k:1', 'k:{', 'i:x', 'i:'])
      assert.throws(() => parseElement(text), SyntaxError, text);
  });

  test('have one order', () => {
    const sorted = [
      'f:a',
      'f:b',
      'k:{"a":1}',
      'k:{"a":2}',
      'k:{"a":2,"b":1}',
      'k:{"b":1}',
      'v:2',
      'v:10',
      'v:"a"',
      'v:true',
      'i:2',
      'i:10',
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(sorted, { minLength: 2 }), (some) => {
        assert.deepEqual(
          some.toSorted(compareElements),
          sorted.filter((one) => some.includes(one)),
        );
      }),
    );
  });
});

describe('FieldsV1 of others', () => {
  test('steps of kinds that we do not know are left out', () => {
    assert.deepEqual(printFields(parseFields({ 'q:x': { 'f:a': {} }, 'f:b': { 'q:y': {} } })), { 'f:b': {} });
  });

  test('any JSON is read or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parseFields(value);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error));
        }
      }),
    );
    assert.ok(equalSets(parseFields({}), emptySet));
    assert.throws(() => parseFields({ 'f:a': 1 }), SyntaxError);
  });
});

function textsOf(set: FieldSet): Set<string> {
  return new Set([...pathsOf(set)].map((path) => path.join('\n')));
}
