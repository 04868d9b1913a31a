import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  causesOf,
  duplicate,
  faultText,
  forbidden,
  goQuoted,
  invalid,
  invalids,
  notFound,
  notSupported,
  required,
  tooLong,
  tooMany,
} from './faults.ts';

test('says what is wrong as upstream does', () => {
  assert.equal(faultText(required('spec.x')), 'Required value');
  assert.equal(
    faultText(required('spec.x', 'name or generateName is required')),
    'Required value: name or generateName is required',
  );
  assert.equal(faultText(invalid('spec.x', 'a"b', 'no quotes')), 'Invalid value: "a\\"b": no quotes');
  assert.equal(
    faultText(invalid('spec.x', -1, 'must be greater than or equal to 0')),
    'Invalid value: -1: must be greater than or equal to 0',
  );
  assert.equal(
    faultText(invalid('spec.x', { matchLabels: { app: 'x' } }, 'field is immutable')),
    'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable',
  );
  assert.equal(
    faultText(invalid('spec.x', undefined, 'field is immutable')),
    'Invalid value: "null": field is immutable',
  );
  assert.equal(faultText(duplicate('spec.x', 'a')), 'Duplicate value: "a"');
  assert.equal(faultText(forbidden('spec.x', 'may not be set')), 'Forbidden: may not be set');
  assert.equal(faultText(notFound('spec.x', 'vol')), 'Not found: "vol"');
  assert.equal(
    faultText(notSupported('spec.x', 'Nope', ['Always', 'Never'])),
    'Unsupported value: "Nope": supported values: "Always", "Never"',
  );
  assert.equal(faultText(tooLong('spec.x', 63)), 'Too long: may not be more than 63 bytes');
  assert.equal(faultText(tooMany('spec.x', 5, 3)), 'Too many: 5: must have at most 3 items');
});

test('makes causes of a Status', () => {
  assert.deepEqual(causesOf(invalids('metadata.name', 'A', ['one', 'two'])), [
    { reason: 'FieldValueInvalid', message: 'Invalid value: "A": one', field: 'metadata.name' },
    { reason: 'FieldValueInvalid', message: 'Invalid value: "A": two', field: 'metadata.name' },
  ]);
});

test('quotes control characters as Go does', () => {
  assert.equal(goQuoted('a\u0000b\u0007\u000b\n\\u0000'), '"a\\x00b\\a\\v\\n\\\\u0000"');
});
