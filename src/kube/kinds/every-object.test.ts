import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { randomObject } from '#kit/kube/random-object.ts';

import type { FieldError } from '../field-error.ts';
import type { KindDef } from '../kind.ts';
import type { Resource } from '../resource.ts';
import { faultText } from '../validation/faults.ts';
import { kinds } from './kinds.ts';

const numRuns = 15;
// Schemas in definitions of custom resources are any JSON to the schema of their kind: `custom` makes random ones itself.

function objectsOf(kind: KindDef): fc.Arbitrary<Resource> {
  return randomObject(kind.schema).map((fields) => ({ metadata: {}, ...fields, apiVersion: 'x', kind: kind.kind }));
}

function check({ path, ...error }: FieldError): void {
  assert.equal(typeof path, 'string');
  assert.notEqual(faultText({ path, ...error }), '');
}

describe('any object that fits the schema', () => {
  for (const kind of kinds.filter(({ kind }) => kind !== 'CustomResourceDefinition')) {
    test(`${kind.kind}.${kind.version}.${kind.group}: defaults are filled once, and validation tells all`, () => {
      fc.assert(
        fc.property(objectsOf(kind), objectsOf(kind), (object, old) => {
          const once = structuredClone(object);
          kind.setDefaults?.(once);
          const twice = structuredClone(once);
          kind.setDefaults?.(twice);
          assert.deepEqual(twice, once);

          const made = structuredClone(once);
          kind.prepare?.(made, undefined);
          for (const error of kind.validate?.(made, undefined) ?? []) check(error);
          const changed = structuredClone(once);
          kind.prepare?.(changed, old);
          for (const error of kind.validate?.(changed, old) ?? []) check(error);
          for (const column of kind.columns) assert.notEqual(column.cell(object, 0), undefined);
          for (const read of Object.values(kind.selectableFields)) assert.equal(typeof read(object), 'string');
        }),
        { numRuns },
      );
    });
  }
});
