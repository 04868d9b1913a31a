import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { reasonOf } from '#base/errors.ts';

import { kinds } from '../kinds/kinds.ts';
import type { KindDef } from '../kind.ts';
import { checkFieldSelector, exactField, fieldMatcher, parseFieldSelector } from './field-selector.ts';

function kindOf(name: string): KindDef {
  const kind = kinds.find((one) => one.kind === name);
  assert.ok(kind !== undefined);
  return kind;
}

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'b' },
  spec: { nodeName: 'n1' },
  status: { phase: 'Running' },
};

describe('field selectors', () => {
  test('reads conditions', () => {
    assert.deepEqual(parseFieldSelector('metadata.name=a,spec.nodeName!=b,x==c=d'.replace('=d', '')), [
      { field: 'metadata.name', isEqual: true, value: 'a' },
      { field: 'spec.nodeName', isEqual: false, value: 'b' },
      { field: 'x', isEqual: true, value: 'c' },
    ]);
    assert.deepEqual(parseFieldSelector(''), []);
    assert.deepEqual(parseFieldSelector(String.raw`a=x\,y\=z\\`), [{ field: 'a', isEqual: true, value: 'x,y=z\\' }]);
  });

  test('refuses what it does not understand', () => {
    assert.throws(() => parseFieldSelector('a=b,c'), { message: "invalid selector: 'a=b,c'; can't understand 'c'" });
    assert.throws(() => parseFieldSelector('a=b=c'), {
      message: 'invalid field selector: unescaped character in value: =',
    });
    assert.throws(() => parseFieldSelector(String.raw`a=\n`), {
      message: String.raw`invalid field selector: invalid escape sequence: \n`,
    });
  });

  test('narrows by fields of the kind and by name and namespace', () => {
    const match = (text: string): boolean => fieldMatcher(parseFieldSelector(text), kindOf('Pod'))(pod);
    assert.equal(match('metadata.name=a,metadata.namespace=b,spec.nodeName=n1,status.phase!=Failed'), true);
    assert.equal(match('status.phase!=Running'), false);
    assert.equal(match('status.podIP='), true);
    assert.equal(match('spec.nodeName=n2'), false);
  });

  test('refuses fields that the kind cannot be narrowed by', () => {
    checkFieldSelector(parseFieldSelector('spec.nodeName=x'), kindOf('Pod'));
    assert.throws(() => checkFieldSelector(parseFieldSelector('spec.image=x'), kindOf('Pod')), {
      message: 'field label not supported: spec.image',
    });
    assert.throws(() => checkFieldSelector(parseFieldSelector('spec.x=x'), kindOf('ConfigMap')), {
      message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    });
    assert.throws(() => checkFieldSelector(parseFieldSelector('constructor=x'), kindOf('Pod')));
  });

  test('finds the one value that a field must have', () => {
    assert.equal(exactField(parseFieldSelector('metadata.name=a'), 'metadata.name'), 'a');
    assert.equal(exactField(parseFieldSelector('metadata.name!=a'), 'metadata.name'), undefined);
  });

  test('any text is a selector or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', '!', ',', '\\', '.'), maxLength: 16 }), (text) => {
        try {
          parseFieldSelector(text);
        } catch (error) {
          assert.equal(reasonOf(error), 'InvalidArgument');
        }
      }),
    );
  });
});
