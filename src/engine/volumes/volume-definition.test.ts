import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { reasonOf } from '#base/errors.ts';

import { defineVolume, isBind, isDefinition, sameOptions } from './volume-definition.ts';

function reason(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return reasonOf(error);
  }
  return 'none';
}

test('defineVolume() gives a volume without a name a random one and calls it anonymous', () => {
  const one = defineVolume({}, 1);
  assert.match(one.name, /^[0-9a-f]{64}$/);
  assert.equal(one.anonymous, true);
  assert.notEqual(defineVolume({ name: '' }, 1).name, one.name);
  assert.deepEqual(defineVolume({ name: 'data', labels: { a: 'b' } }, 7), {
    name: 'data',
    createdAtMs: 7,
    labels: { a: 'b' },
    options: {},
    anonymous: false,
  });
});

test('defineVolume() refuses names that Docker refuses', () => {
  for (const name of ['.', '..', '-a', 'a/b', 'a b', 'x', '_a', 'ä1', 'a'.repeat(256), '../../etc'])
    assert.equal(
      reason(() => defineVolume({ name }, 0)),
      'InvalidArgument',
      name,
    );
  for (const name of ['ab', 'A1', 'my_vol.1-x', 'a'.repeat(255)]) assert.equal(defineVolume({ name }, 0).name, name);
});

test('defineVolume() refuses options and drivers that would not be carried out', () => {
  const rows: readonly [Parameters<typeof defineVolume>[0], string][] = [
    [{ name: 'v1', driver: 'flocker' }, 'NotFound'],
    [{ name: 'v1', options: { size: '1g' } }, 'none'],
    [{ name: 'v1', options: { size: '1 parsec' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { size: '4095k' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { size: '1g', type: 'tmpfs', device: 'tmpfs' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { color: 'red' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { type: 'nfs', device: ':/x', o: 'addr=1.2.3.4' } }, 'none'],
    [{ name: 'v1', options: { type: 'nfs', o: 'addr=1.2.3.4' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { o: 'addr=1.2.3.4' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { device: ':/x' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { type: 'cifs', device: '//host:445/share' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { type: 'none', o: 'bind,vers=4', device: '/data' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { type: 'none', o: 'bind', device: 'data' } }, 'InvalidArgument'],
    [{ name: 'v1', options: { type: 'none', o: 'bind', device: '/data' } }, 'none'],
    [{ name: 'v1', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } }, 'none'],
  ];
  for (const [volume, expected] of rows)
    assert.equal(
      reason(() => defineVolume(volume, 0)),
      expected,
      JSON.stringify(volume),
    );
});

test('isBind() reads whole words only', () => {
  assert.equal(isBind({ o: 'ro,bind' }), true);
  assert.equal(isBind({ o: 'rbind' }), true);
  assert.equal(isBind({ o: 'unbind' }), false);
  assert.equal(isBind({}), false);
});

test('sameOptions() is equality of the pairs, whatever their order', () => {
  assert.equal(sameOptions({ a: '1', b: '2' }, { b: '2', a: '1' }), true);
  assert.equal(sameOptions({ a: '1' }, { a: '1', b: '2' }), false);
  assert.equal(sameOptions({ a: '1' }, { a: '2' }), false);
});

test('isDefinition() takes what defineVolume() made and no other shape', () => {
  assert.equal(isDefinition(JSON.parse(JSON.stringify(defineVolume({ name: 'ab' }, 3)))), true);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(isDefinition(value), false);
    }),
    { numRuns: 100 },
  );
});
