import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { randomObject } from '#kit/kube-objects/random-object.ts';
import * as fc from 'fast-check';

import { builtinSchema, builtinType, builtinTypeKeys } from '../schemas/builtin-schemas.ts';
import { decodeFields } from './protobuf-decode.ts';
import { encodeFields } from './protobuf-encode.ts';
import { decodeProtobuf, encodeProtobuf, isProtobuf } from './protobuf-envelope.ts';
import { readObject } from './read-object.ts';

const kinds = [...builtinTypeKeys()].filter((key) => builtinType(key)?.fields.has('apiVersion'));

describe('protobuf', () => {
  for (const key of kinds) {
    test(`${key} comes back as it was`, () => {
      const schema = builtinType(key);
      assert.ok(schema !== undefined);
      fc.assert(
        fc.property(randomObject(schema), (random) => {
          const { object } = readObject({ ...random, apiVersion: 'example.com/v1', kind: 'Any' }, schema);
          assert.deepEqual(decodeProtobuf(encodeProtobuf(object, schema), schema), object);
        }),
        { numRuns: 5 },
      );
    });
  }

  test('has inlined structs as messages of their own', () => {
    const schema = builtinType('core/v1.Volume');
    assert.ok(schema !== undefined);
    const bytes = encodeFields({ name: 'a', emptyDir: { medium: 'Memory' } }, schema);
    assert.equal(Buffer.from(bytes).toString('hex'), '0a0161120a12080a064d656d6f7279');
    assert.deepEqual(decodeFields(bytes, schema), { name: 'a', emptyDir: { medium: 'Memory' } });
  });

  test('leaves out what Go leaves out, but for pointers', () => {
    const schema = builtinSchema('apps', 'v1', 'Deployment');
    assert.ok(schema !== undefined);
    const { object } = readObject({ spec: { replicas: 0, minReadySeconds: 0, paused: false } }, schema);
    assert.equal((object['spec'] as Record<string, unknown>)['replicas'], 0);
    assert.equal(Object.hasOwn(object['spec'] as object, 'minReadySeconds'), false);
  });

  test('is told by its prefix', () => {
    assert.equal(isProtobuf(Buffer.from('k8s\0')), true);
    assert.equal(isProtobuf(Buffer.from('{}')), false);
  });

  test('nonsense is refused, or is an object', () => {
    const schemas = ['core/v1.Pod', 'apiextensions/v1.CustomResourceDefinition', 'meta/v1.DeleteOptions'].map((key) => {
      const schema = builtinType(key);
      assert.ok(schema !== undefined);
      return schema;
    });
    fc.assert(
      fc.property(fc.constantFrom(...schemas), fc.uint8Array({ maxLength: 200 }), (schema, bytes) => {
        try {
          assert.equal(typeof decodeProtobuf(Buffer.concat([Buffer.from('k8s\0'), bytes]), schema), 'object');
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('messages within messages have a bound', () => {
    const schema = builtinType('apiextensions/v1.JSONSchemaProps');
    assert.ok(schema !== undefined);
    let bytes = new Uint8Array();
    for (let depth = 0; depth < 1000; depth += 1) {
      const head: number[] = [0xe2, 0x01];
      let length = bytes.length;
      for (; length > 127; length >>= 7) head.push((length & 127) | 128);
      bytes = Buffer.concat([Uint8Array.from([...head, length]), bytes]);
    }
    assert.throws(() => decodeFields(bytes, schema), /nested too deeply/);
  });
});
