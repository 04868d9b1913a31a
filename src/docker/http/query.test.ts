import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { StatusError } from '#base/errors.ts';
import { parseFilters } from './filters.ts';
import { Query } from './query.ts';

describe('query', () => {
  const flags: readonly (readonly [string, boolean])[] = [
    ['', false],
    ['a=', false],
    ['a=0', false],
    ['a=False', false],
    ['a=no', false],
    ['a=none', false],
    ['a=1', true],
    ['a=true', true],
    ['a=yes', true],
    ['a=anything', true],
  ];
  for (const [search, expected] of flags) {
    test(`flag in "${search}"`, () => assert.equal(new Query(search).flag('a'), expected));
  }

  test('a missing flag has the default, an empty one is false', () => {
    assert.equal(new Query('').flag('pause', true), true);
    assert.equal(new Query('pause=').flag('pause', true), false);
  });

  test('integers are whole and bounded', () => {
    assert.equal(new Query('t=-1').integer('t'), -1);
    assert.equal(new Query('').integer('t'), undefined);
    for (const bad of ['x', '1.5', '1e3', '0x10', '99999999999999999999', ' 1', '1 2']) {
      assert.throws(() => new Query(`t=${encodeURIComponent(bad)}`).integer('t'), { reason: 'InvalidArgument' }, bad);
    }
  });

  test('JSON parameters', () => {
    assert.deepEqual(new Query('x={"a":[1]}').json('x'), { a: [1] });
    assert.equal(new Query('x=').json('x'), undefined);
    assert.throws(() => new Query('x={').json('x'), { reason: 'InvalidArgument' });
  });
});

function filtersOf(value: unknown): ReturnType<typeof parseFilters> {
  return parseFilters(new Query(`filters=${encodeURIComponent(JSON.stringify(value))}`), ['label', 'name', 'all']);
}

describe('filters', () => {
  test('both spellings mean the same', () => {
    assert.deepEqual(filtersOf({ name: { a: true, b: true } }).values('name'), ['a', 'b']);
    assert.deepEqual(filtersOf({ name: ['a', 'b'] }).values('name'), ['a', 'b']);
    assert.equal(filtersOf({ name: {} }).has('name'), false);
    assert.equal(filtersOf(null).has('name'), false);
  });

  test('labels must all be there, with the value when one is named', () => {
    const labels = { app: 'web', tier: '', 'a=b': 'x' };
    assert.ok(filtersOf({ label: ['app'] }).labels('label', labels));
    assert.ok(filtersOf({ label: ['app=web', 'tier'] }).labels('label', labels));
    assert.ok(!filtersOf({ label: ['app=web', 'other'] }).labels('label', labels));
    assert.ok(!filtersOf({ label: ['app='] }).labels('label', labels));
    assert.ok(!filtersOf({ label: ['toString'] }).labels('label', labels));
  });

  test('booleans are words that Go takes', () => {
    assert.equal(filtersOf({ all: ['1'] }).flag('all'), true);
    assert.equal(filtersOf({ all: ['false'] }).flag('all'), false);
    assert.equal(filtersOf({}).flag('all'), undefined);
    assert.throws(() => filtersOf({ all: ['maybe'] }).flag('all'), /invalid filter 'all=\[maybe\]'/);
  });

  test('unknown ones are refused by name', () => {
    assert.throws(() => filtersOf({ colour: ['red'] }), {
      reason: 'InvalidArgument',
      message: "invalid filter 'colour'",
    });
  });

  test('any JSON is read or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom('name', 'label'), fc.jsonValue())),
        (value) => {
          try {
            filtersOf(value);
          } catch (error) {
            assert.ok(error instanceof StatusError);
          }
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });
});
